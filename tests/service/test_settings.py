from dataclasses import fields
from zoneinfo import ZoneInfo

import pytest

from service.errors import BadSettings
from service.settings import PREFIX, Profile, Settings, load, options, shown


def test_without_anything_the_profile_is_production_and_nothing_may_be_called():
    settings = load({})

    assert settings == Settings()
    assert (settings.profile, settings.fhir_bases, settings.deadline_ms) == (Profile.PRODUCTION, (), 2000)
    assert settings.timezone == ZoneInfo("Europe/London")


def test_the_environment_is_read_by_name():
    settings = load(
        {
            "MUSCLE_CDS_PROFILE": "demo",
            "MUSCLE_CDS_FHIR_BASES": "http://127.0.0.1:8181/fhir, https://b.example/r4/",
            "MUSCLE_CDS_WITHOUT_LICENCES": "loinc,sct-affiliate",
            "MUSCLE_CDS_CRITICAL_AS_WARNING": "true",
            "PATH": "/bin",
        }
    )

    assert settings.fhir_bases == ("http://127.0.0.1:8181/fhir", "https://b.example/r4")
    assert settings.without_licences == {"loinc", "sct-affiliate"}
    assert settings.critical_as_warning


def test_the_environment_wins_over_the_file_and_a_given_value_over_both(tmp_path):
    file = tmp_path / "site.toml"
    file.write_text('profile = "demo"\nport = 8001\ndeadline_ms = 900\nfhir_bases = ["https://e.example/fhir"]\n')
    environment = {"MUSCLE_CDS_CONFIG": str(file), "MUSCLE_CDS_PORT": "8002"}

    assert load(environment).port == 8002
    assert load(environment, port=8003).port == 8003
    assert load(environment).deadline_ms == 900
    assert load(environment).fhir_bases == ("https://e.example/fhir",)


@pytest.mark.parametrize("variable", ["MUSCLE_CDS_PROFIL", "MUSCLE_CDS_", "MUSCLE_CDS_port"])
def test_an_unknown_variable_stops_the_start_and_tells_what_is_known(variable):
    with pytest.raises(BadSettings, match=r"not a setting.*deadline_ms.*log_level"):
        load({variable: "demo"})


def test_an_unknown_key_in_the_file_stops_the_start(tmp_path):
    file = tmp_path / "site.toml"
    file.write_text('prot = "x"\n')

    with pytest.raises(BadSettings, match=r"'prot'.*not a setting.*port"):
        load({"MUSCLE_CDS_CONFIG": str(file)})


def test_a_file_as_an_editor_on_windows_saves_it_is_read(tmp_path):
    file, secret = tmp_path / "site.toml", tmp_path / "store.txt"
    file.write_bytes(b'\xef\xbb\xbfprofile = "demo"\r\nport = 8001\r\n')
    secret.write_bytes(b"\xef\xbb\xbfsqlite:///state.sqlite\r\n")

    settings = load({"MUSCLE_CDS_CONFIG": str(file), "MUSCLE_CDS_STORE_FILE": str(secret)})

    assert (settings.port, settings.store) == (8001, "sqlite:///state.sqlite")


def test_a_file_in_another_coding_is_to_be_saved_again(tmp_path):
    file = tmp_path / "site.toml"
    file.write_bytes('profile = "demo"\n'.encode("utf-16"))

    with pytest.raises(BadSettings, match=r"is not UTF-8 text\. Save it again"):
        load({"MUSCLE_CDS_CONFIG": str(file)})


@pytest.mark.parametrize("content", [None, "port = ", "\x00", "[a"])
def test_a_file_that_cannot_be_read_stops_the_start(tmp_path, content):
    file = tmp_path / "site.toml"
    if content is not None:
        file.write_text(content)

    with pytest.raises(BadSettings, match="MUSCLE_CDS_CONFIG"):
        load({"MUSCLE_CDS_CONFIG": str(file)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("profile", "production "), ("profile", "DEMO"), ("profile", ""),
        ("port", "0"), ("port", "65536"), ("port", "x"), ("port", "-1"), ("port", "5e3"), ("port", "٣"),
        ("deadline_ms", "299"), ("workers", "0"), ("threads", "1000"),
        ("timezone", "Mars/Olympus"), ("timezone", "../etc/passwd"), ("timezone", ""),
        ("canonical_base", "muscle"), ("canonical_base", "ftp://x"), ("canonical_base", "https://u:p@x"),
        ("fhir_bases", "not a base"), ("fhir_bases", "http://127.0.0.1/fhir?x=1"), ("fhir_bases", "https://x:99999/"),
        ("beyond_fact_sheet", "maybe"), ("overlay", "/nowhere/overlay.toml"), ("log_level", "debug"), ("host", " "),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_used_stops_the_start_and_names_the_setting(name, value):
    with pytest.raises(BadSettings, match=f"{name} .{PREFIX}{name.upper()}. must"):
        load({PREFIX + name.upper(): value})


@pytest.mark.parametrize(
    ("name", "value"), [("port", "true"), ("fhir_bases", "[1]"), ("fhir_bases", "1"), ("host", "1")]
)
def test_a_value_of_the_wrong_type_in_the_file_stops_the_start(tmp_path, name, value):
    file = tmp_path / "site.toml"
    file.write_text(f"{name} = {value}\n")

    with pytest.raises(BadSettings, match=name):
        load({"MUSCLE_CDS_CONFIG": str(file)})


@pytest.mark.parametrize("env", ["production", "Production"])
def test_the_demo_profile_refuses_to_start_in_production(env):
    with pytest.raises(BadSettings, match="demo profile"):
        load({"MUSCLE_CDS_PROFILE": "demo", "ENV": env})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_the_demo_profile_listens_on_this_machine_only(host):
    with pytest.raises(BadSettings, match="host must be one of"):
        load({"MUSCLE_CDS_PROFILE": "demo", "MUSCLE_CDS_HOST": host})


def test_a_production_fhir_base_needs_tls():
    with pytest.raises(BadSettings, match="https"):
        load({"MUSCLE_CDS_FHIR_BASES": "http://ehr.example/fhir"})


def test_every_setting_has_a_help_text_and_a_default_that_can_be_read_back():
    for option, row in zip(options(), fields(Settings), strict=True):
        assert option.help.endswith(".")
        if option.default:
            assert row.metadata["read"](option.default) == row.default
        assert shown(row.default) == option.default


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("[::1]:9464", ("::1", 9464)),
        ("metrics.internal:80", ("metrics.internal", 80)),
    ],
)
def test_an_address_to_listen_on_is_host_and_port(said, read):
    settings = load({"MUSCLE_CDS_PROFILE": "demo", "MUSCLE_CDS_METRICS_ADDRESS": said})

    assert settings.metrics_address == read
    assert shown(settings.metrics_address) == said


@pytest.mark.parametrize("said", ["9464", ":9464", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "::1:9464", "a b:1"])
def test_an_address_without_host_and_port_is_none(said):
    with pytest.raises(BadSettings, match="host:port"):
        load({"MUSCLE_CDS_PROFILE": "demo", "MUSCLE_CDS_METRICS_ADDRESS": said})


@pytest.mark.parametrize("profile", ["demo", "production"])
def test_metrics_are_never_where_the_hooks_are(profile):
    with pytest.raises(BadSettings, match="another port than the hooks"):
        load({"MUSCLE_CDS_PROFILE": profile, "MUSCLE_CDS_PORT": "5000", "MUSCLE_CDS_METRICS_ADDRESS": "0.0.0.0:5000"})


def test_all_values_that_cannot_be_used_are_named_at_once():
    with pytest.raises(BadSettings) as refused:
        load({"MUSCLE_CDS_PORT": "x", "MUSCLE_CDS_WORKERS": "99", "MUSCLE_CDS_TIMEZONE": "Nowhere"})

    for variable in ("MUSCLE_CDS_PORT", "MUSCLE_CDS_WORKERS", "MUSCLE_CDS_TIMEZONE"):
        assert variable in str(refused.value)


def test_a_secret_that_is_given_twice_stops_the_start(tmp_path):
    """Which of two databases would hold the tokens that were seen is not to be guessed."""
    file = tmp_path / "store"
    file.write_text("sqlite:////one")
    with pytest.raises(BadSettings, match="only one can count"):
        load({"MUSCLE_CDS_PROFILE": "demo", "MUSCLE_CDS_STORE": "sqlite:////two", "MUSCLE_CDS_STORE_FILE": str(file)})


def test_files_that_an_editor_on_windows_marked_are_read(tmp_path):
    settings, secret = tmp_path / "site.toml", tmp_path / "store"
    settings.write_text("\ufeffport = 5001\n", encoding="utf-8")
    secret.write_text("\ufeffsqlite:////one\n", encoding="utf-8")
    made = load(
        {"MUSCLE_CDS_PROFILE": "demo", "MUSCLE_CDS_CONFIG": str(settings), "MUSCLE_CDS_STORE_FILE": str(secret)}
    )

    assert (made.port, made.store) == (5001, "sqlite:////one")
