import pytest

from gatehouse.embedded.identity import realm as realms
from gatehouse.embedded.identity.realm import Client, IdentityError, Realm, User, session_of

URI = "https://shop.example.com/callback"


@pytest.fixture
def clock(monkeypatch):
    """Seconds that have passed, as a list with one number."""
    passed = [0.0]
    monkeypatch.setattr(realms.time, "monotonic", lambda: passed[0])
    return passed


@pytest.fixture
def realm():
    realm = Realm()
    realm.users["olga"] = User("olga", "correct horse")
    realm.clients["shop"] = Client("shop", "secret", [r"https://shop\.example\.com/.*"])
    return realm


@pytest.fixture
def asked(realm, clock):
    return realm.authorization({"client_id": "shop", "redirect_uri": URI})


@pytest.mark.parametrize("name", ["olga", "OLGA", "olga@shop.example", " olga "])
def test_people_sign_in_with_their_user_name_or_email(realm, name):
    assert realm.sign_in(name, "correct horse") is realm.users["olga"]


@pytest.mark.parametrize(("name", "password"), [("olga", "wrong"), ("olga", ""), ("", ""), ("vera", "x")])
def test_nobody_else_signs_in(realm, name, password):
    assert realm.sign_in(name, password) is None


def test_a_user_without_a_password_cannot_sign_in(realm):
    realm.users["vera"] = User("vera", "")
    assert realm.sign_in("vera", "") is None


def test_a_code_is_good_for_a_minute(realm, asked, clock):
    session = realm.open_session(realm.begin(asked), realm.users["olga"])
    early, late = realm.code(asked, session), realm.code(asked, session)

    clock[0] = 59.0
    grant, _token = realm.redeem(early, asked.client, URI)
    assert grant.username == "olga"
    clock[0] = 60.0
    with pytest.raises(IdentityError, match="Code not valid"):
        realm.redeem(late, asked.client, URI)


def test_a_code_is_good_for_the_client_only_that_asked_for_it(realm, asked):
    session = realm.open_session(realm.begin(asked), realm.users["olga"])
    with pytest.raises(IdentityError, match="Code not valid"):
        realm.redeem(realm.code(asked, session), Client("other", "secret"), URI)


def test_an_access_token_ends_with_the_session(realm, asked, clock):
    session = realm.open_session(realm.begin(asked), realm.users["olga"])
    _grant, token = realm.redeem(realm.code(asked, session), asked.client, URI)
    assert realm.bearer(token).username == "olga"

    realm.sessions.pop(session)

    assert realm.bearer(token) is None


def test_a_user_who_was_removed_is_signed_in_no_more(realm, asked):
    session = realm.open_session(realm.begin(asked), realm.users["olga"])
    code = realm.code(asked, session)

    realm.users.clear()

    assert realm.signed_in(session) is None
    with pytest.raises(IdentityError):
        realm.redeem(code, asked.client, URI)


def test_a_login_page_is_good_for_half_an_hour(realm, asked, clock):
    login = realm.begin(asked)
    clock[0] = 1799.0
    assert realm.login(login) is asked
    clock[0] = 1800.0
    assert realm.login(login) is None


@pytest.mark.parametrize("token", ["", "a.b.c", "a.e30.c", "a.W10.c"])
def test_what_is_no_id_token_is_about_no_session(token):
    assert session_of(token) == ""
