import pytest

from gatehouse.argocd.windows import closed_window

DENY = {"kind": "deny", "schedule": "0 22 * * *", "duration": "8h"}
ALLOW = {"kind": "allow", "schedule": "0 8 * * 1-5", "duration": "9h"}


@pytest.mark.parametrize(
    ("answer", "closed"),
    [
        ({}, ""),
        ({"activeWindows": [], "assignedWindows": [], "canSync": True}, ""),
        ({"activeWindows": [DENY], "assignedWindows": [DENY]}, "deny 0 22 * * * for 8h"),
        ({"activeWindows": [], "assignedWindows": [DENY]}, ""),
        ({"activeWindows": [], "assignedWindows": [ALLOW]}, "allow 0 8 * * 1-5 for 9h"),
        ({"activeWindows": [ALLOW], "assignedWindows": [ALLOW]}, ""),
        ({"activeWindows": [ALLOW, DENY], "assignedWindows": [ALLOW, DENY]}, "deny 0 22 * * * for 8h"),
        ({"activeWindows": [DENY], "assignedWindows": [DENY], "canSync": True}, "deny 0 22 * * * for 8h"),
        ({"assignedWindows": [DENY]}, ""),
    ],
)
def test_a_window_is_closed_for_auto_sync_whatever_holds_for_a_sync_by_hand(answer, closed):
    assert closed_window(answer) == closed
