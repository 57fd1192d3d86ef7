"""What is printed when the demo starts: the address of the page, the patients, and commands that show cards."""

from service.demo.synthetic import patients


def what_to_try(address: str) -> str:
    """The text for a server at ``address``, such as ``http://127.0.0.1:5000``."""
    width = max(len(name) for name in patients())
    listed = "\n".join(f"  {one.name:<{width}}  {one.shows}" for one in patients().values())
    return (
        f"Open {address}/demo/ in a browser: a page that plays the record system, with synthetic patients.\n"
        "For evaluation and integration testing only: not a medical device, not for care. This machine only.\n\n"
        f"muscle-cds itself is answering at {address}/cds-services.\n"
        f"Patients, each a ready hook request at {address}/demo/patients/NAME:\n{listed}\n\n"
        f"See cards as a record is opened:\n{_command(address, 'low-potassium-on-indapamide')}\n"
        "and as an order is selected:\n"
        f"{_command(address, 'order-quinine-with-digoxin')}\n"
    )


def _command(address: str, name: str) -> str:
    return (
        f"  curl -s {address}/demo/patients/{name} | "
        f"curl -s -H 'Content-Type: application/json' -d @- {address}/cds-services/{patients()[name].service}"
    )
