from gatehouse.embedded.copies import copied


def test_a_copy_is_equal_and_shares_nothing_that_can_be_changed():
    inner = [1, {"deep": ["x"]}]
    original = {"list": inner, "same": inner, "text": "t", "none": None}

    copy = copied(original)
    copy["list"][1]["deep"].append("y")
    copy["same"].append(2)

    assert original == {"list": [1, {"deep": ["x"]}], "same": [1, {"deep": ["x"]}], "text": "t", "none": None}
    assert copy["list"] == [1, {"deep": ["x", "y"]}]
