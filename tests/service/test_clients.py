import tomllib
from dataclasses import fields

import pytest

from service.clients import _READERS, Client, Replay, read_clients
from service.errors import BadSettings
from service.risks import RISKS, dangers, read_risks
from service.settings import Settings, load, shown, unsafe
from tests.service.hooks.tokens import a_client

LEAST = 'name = "ehr"\nissuer = "https://ehr.example/cds"\njwks_url = "https://ehr.example/jwks"\n'


def read(*tables):
    return read_clients(tomllib.loads("".join(f"[[client]]\n{table}\n" for table in tables))["client"])


def test_the_least_entry_is_strict():
    (client,) = read(LEAST)

    assert client == Client("ehr", "https://ehr.example/cds", jwks_url="https://ehr.example/jwks")
    assert client.algorithms == ("ES384", "RS384")
    assert client.replay is Replay.STRICT
    assert (client.fhir_bases, client.open_server, client.origins, client.audiences, client.tenants) == (
        (), False, (), (), ())  # fmt: skip


def test_every_key_is_read(tmp_path):
    file = tmp_path / "keys.json"
    file.write_text("{}")
    (client,) = read(
        f'name = "a.b-c_1"\nissuer = "urn:x"\njwks_file = "{file}"\nalgorithms = ["RS256", "PS512"]\n'
        'audiences = ["sand_man"]\nfhir_bases = ["https://fhir.example/r4/"]\nopen_server = true\nreplay = "off"\n'
        'origins = ["https://ehr.example", "http://localhost:8080"]\ntenants = ["t1"]\ntopic_codes_plain = true\n'
    )

    assert client == Client(
        name="a.b-c_1",
        issuer="urn:x",
        jwks_file=file,
        algorithms=("RS256", "PS512"),
        audiences=("sand_man",),
        fhir_bases=("https://fhir.example/r4",),
        open_server=True,
        replay=Replay.OFF,
        origins=("https://ehr.example", "http://localhost:8080"),
        tenants=("t1",),
        topic_codes_plain=True,
    )


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("", "number 1 must have name"),
        ('name = "ehr"', "must have issuer"),
        (LEAST.replace("jwks_url", "jwks_uri"), "'ehr': 'jwks_uri' is not a key. Known: name, issuer, jwks_url"),
        (LEAST + 'jwks_file = "pyproject.toml"', "'ehr' must have jwks_url or jwks_file"),
        ('name = "ehr"\nissuer = "x"', "'ehr' must have jwks_url or jwks_file"),
        (LEAST + 'jwks_file = "no/such/file"', "'ehr': jwks_file must name a file"),
        (LEAST.replace("https://ehr.example/jwks", "http://ehr.example/jwks"), "jwks_url must be an https address"),
        (LEAST.replace("https://ehr.example/jwks", "file:///etc/passwd"), "jwks_url must be"),
        (LEAST.replace("https://ehr.example/jwks", "https://u:p@ehr.example"), "jwks_url must be"),
        (LEAST.replace('"ehr"', '"e h r"'), "number 1: name must be up to 64"),
        (LEAST.replace('"ehr"', "7"), "number 1: name must be"),
        (LEAST.replace("https://ehr.example/cds", " x"), "issuer must be a text without blanks"),
        (LEAST + 'algorithms = ["none"]', "'ehr': algorithms must be a list of: ES256"),
        (LEAST + 'algorithms = ["HS256"]', "algorithms must be"),
        (LEAST + "algorithms = []", "algorithms must be"),
        (LEAST + 'algorithms = "ES384"', "algorithms must be"),
        (LEAST + 'audiences = "x"', "audiences must be a list"),
        (LEAST + "audiences = [1]", "audiences must be a text"),
        (LEAST + 'fhir_bases = ["ehr.example"]', "fhir_bases must be an absolute http"),
        (LEAST + 'fhir_bases = "https://a.example"', "fhir_bases must be a list"),
        (LEAST + "open_server = true", "'ehr' must have fhir_bases"),
        (LEAST + 'open_server = "yes"', "open_server must be true or false"),
        (LEAST + "open_server = 1", "open_server must be true or false"),
        (LEAST + 'replay = "no"', "replay must be strict or off"),
        (LEAST + "replay = false", "replay must be strict or off"),
        (LEAST + 'origins = ["https://ehr.example/"]', "origins must be an origin as a browser sends it"),
        (LEAST + 'origins = ["https://EHR.example"]', "origins must be"),
        (LEAST + 'origins = ["https://ehr.example:443"]', "origins must be"),
        (LEAST + 'origins = ["http://ehr.example:80"]', "origins must be"),
        (LEAST + 'origins = ["null"]', "origins must be"),
        (LEAST + 'origins = ["https://*.ehr.example"]', "origins must be"),
        (LEAST + 'tenants = ["a b"]', "tenants must be"),
    ],
)
def test_a_fault_names_the_entry_and_the_key(table, says):
    with pytest.raises(ValueError, match=says):
        read(table)


@pytest.mark.parametrize(
    ("second", "says"),
    [(LEAST.replace("/cds", "/other"), "name of their own"), (LEAST.replace('"ehr"', '"b"'), "issuer of their own")],
)
def test_two_clients_share_neither_name_nor_issuer(second, says):
    with pytest.raises(ValueError, match=says):
        read(LEAST, second)


@pytest.mark.parametrize("tables", ["ehr", {"name": "ehr"}, 5, ["ehr"], [5]])
def test_what_are_no_tables_are_no_clients(tables):
    with pytest.raises(ValueError, match=r"must be (a table|tables)"):
        read_clients(tables)


def test_a_key_host_on_this_machine_needs_no_tls():
    (client,) = read(LEAST.replace("https://ehr.example/jwks", "http://127.0.0.1:8000/jwks"))

    assert client.jwks_url == "http://127.0.0.1:8000/jwks"


# --- in the settings -----------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path):
    file = tmp_path / "site.toml"

    def written(text, **environment):
        file.write_text(text)
        return load({"MUSCLE_CDS_CONFIG": str(file), **environment})

    return written


def test_clients_stand_in_the_file(site):
    settings = site(f'public_url = "https://cds.example/"\n[[client]]\n{LEAST}')

    assert [client.name for client in settings.clients] == ["ehr"]
    assert settings.public_url == "https://cds.example"
    assert shown(settings.clients) == "ehr"


def test_a_fault_in_an_entry_stops_the_start(site):
    with pytest.raises(BadSettings, match=r"^\[\[client\]\] 'ehr': replay must be strict or off\.$"):
        site(f'[[client]]\n{LEAST}replay = "maybe"\n')


def test_clients_cannot_come_from_the_environment():
    with pytest.raises(BadSettings, match="MUSCLE_CDS_CLIENTS is not a setting"):
        load({"MUSCLE_CDS_CLIENTS": "ehr"})


UNSAFE = {
    "auth-off": "authentication = false",
    "any-origin": 'origins = ["*"]',
    "http-fhir-base": 'fhir_bases = ["http://ehr.example/fhir"]',
    "sqlite-on-many-hosts": "hosts = 2",
}
UNSAFE_CLIENT = {
    "any-origin": 'origins = ["*"]',
    "http-fhir-base": 'fhir_bases = ["http://ehr.example/fhir"]',
    "replay-off": 'replay = "off"',
}


@pytest.mark.parametrize(
    ("risk", "text"),
    [*UNSAFE.items(), *((risk, f"[[client]]\n{LEAST}{line}") for risk, line in UNSAFE_CLIENT.items()),
     ("public-sandbox", f"[[client]]\n{LEAST.replace('https://ehr.example/cds', 'https://sandbox.cds-hooks.org')}"),
     ("public-sandbox", f"[[client]]\n{LEAST.replace('https://ehr.example/jwks', 'https://SANDBOX.cds-hooks.org./x')}")],
)  # fmt: skip
def test_production_refuses_what_is_unsafe_unless_the_site_takes_it_on_by_name(site, risk, text):
    others = [name for name in RISKS if name != risk]

    with pytest.raises(BadSettings, match=f"name {risk} in accept_risk"):
        site(text)
    with pytest.raises(BadSettings, match=risk):
        site(f"accept_risk = {others}\n{text}")
    assert site(f'accept_risk = ["{risk}"]\n{text}')


def test_a_debugging_framework_is_refused(site):
    with pytest.raises(BadSettings, match="FLASK_DEBUG"):
        site("", FLASK_DEBUG="1")
    assert site("", FLASK_DEBUG="0")
    assert site('accept_risk = ["debug"]', FLASK_DEBUG="1")


def test_the_demo_profile_may_do_what_production_may_not(site):
    assert site(
        f'profile = "demo"\norigins = ["*"]\nfhir_bases = ["http://127.0.0.1/fhir"]\n[[client]]\n{LEAST}replay = "off"\n'
    )


def test_a_slip_of_the_pen_accepts_nothing(site):
    with pytest.raises(BadSettings, match=r"accept_risk .* must be of: auth-off"):
        site('accept_risk = ["authoff"]')
    with pytest.raises(ValueError, match="must be of"):
        read_risks("all")


def test_every_risk_can_be_found_and_every_danger_is_a_known_risk(tmp_path):
    unsafe_client = a_client(
        tmp_path, issuer="https://sandbox.cds-hooks.org", replay=Replay.OFF, origins=("*",), fhir_bases=("http://x",)
    )
    here = {"store": "sqlite:///state.sqlite", "hosts": 2}
    found = dangers(
        authentication=False, origins=("*",), fhir_bases=("http://x",), clients=[unsafe_client], debug=True, **here
    )
    safe = {"authentication": True, "origins": (), "fhir_bases": (), "clients": [a_client(tmp_path)], "debug": False}

    assert {danger.risk for danger in found} == set(RISKS)
    assert list(dangers(**safe | here | {"hosts": 1})) == []


@pytest.mark.parametrize(
    ("store", "hosts", "safe"),
    [
        ("sqlite:///state.sqlite", 1, True),
        ("sqlite:///state.sqlite", 2, False),
        ("SQLite:////var/lib/state.sqlite", 3, False),
        ("postgresql+psycopg://muscle@db/muscle", 3, True),
    ],
)
def test_a_store_in_a_file_is_for_one_host(store, hosts, safe):
    settings = {"MUSCLE_CDS_STORE": store, "MUSCLE_CDS_HOSTS": str(hosts)}

    if safe:
        assert load(settings).hosts == hosts
    else:
        with pytest.raises(BadSettings, match=f"which {hosts} hosts cannot share.*name sqlite-on-many-hosts"):
            load(settings)


def test_all_that_is_unsafe_is_said_at_once(tmp_path):
    settings = Settings(clients=(a_client(tmp_path, replay=Replay.OFF, origins=("*",)),))

    assert len(unsafe(settings, {"FLASK_DEBUG": "1"})) == 3


# --- passwords -----------------------------------------------------------------------------------------------------

DATABASE = "postgresql+psycopg://cds:pa%40ss@db.example/cds"


def test_a_password_is_never_shown():
    assert shown(DATABASE) == "postgresql+psycopg://cds:***@db.example/cds"
    assert (
        shown("postgresql+psycopg://db/cds?user=a&password=b&x=1")
        == "postgresql+psycopg://db/cds?user=a&password=***&x=1"
    )
    assert shown("sqlite:///a.sqlite") == "sqlite:///a.sqlite"
    assert shown("https://cds.example/x") == "https://cds.example/x"


def test_a_password_does_not_stand_in_the_settings_file(site, tmp_path):
    with pytest.raises(BadSettings, match="MUSCLE_CDS_STORE_FILE") as refused:
        site(f'store = "{DATABASE}"')
    assert "pa%40ss" not in str(refused.value)

    assert site("", MUSCLE_CDS_STORE=DATABASE).store == DATABASE
    secret = tmp_path / "secret"
    secret.write_text(DATABASE + "\n")
    assert site("", MUSCLE_CDS_STORE_FILE=str(secret)).store == DATABASE
    with pytest.raises(BadSettings, match="MUSCLE_CDS_STORE_FILE names cannot be read"):
        site("", MUSCLE_CDS_STORE_FILE=str(tmp_path / "none"))


def test_only_a_secret_may_come_from_a_file_of_its_own():
    with pytest.raises(BadSettings, match="MUSCLE_CDS_PORT_FILE is not a setting"):
        load({"MUSCLE_CDS_PORT_FILE": "x"})


def test_every_field_of_a_client_is_a_key_of_its_table():
    assert set(_READERS) == {row.name for row in fields(Client)}
