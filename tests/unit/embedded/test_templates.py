import pytest

from gatehouse.embedded.argocd.templates import TemplateError, render

PARAMETERS = {"number": "7", "labels": ["preview"], "values": {"tier": "web"}, "empty": ""}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("pr-{{.number}}-{{ .values.tier }}", "pr-7-web"),
        ('{{if has "preview" .labels}}yes{{else}}no{{end}}', "yes"),
        ('{{if has "other" .labels}}yes{{else}}no-{{.number}}{{end}}!', "no-7!"),
        ("{{if .empty}}a{{else}}b{{end}}", "b"),
        ("{{if .number}}{{if .empty}}a{{else}}b{{end}}c{{end}}", "bc"),
    ],
)
def test_what_application_sets_need_of_go_templates(template, text):
    assert render(template, PARAMETERS) == text


def test_templates_are_filled_in_at_every_depth_but_not_in_keys():
    assert render({"{{.number}}": ["{{.number}}", {"a": 1}]}, PARAMETERS) == {"{{.number}}": ["7", {"a": 1}]}


@pytest.mark.parametrize(
    "template", ["{{.missing}}", "{{.values.missing}}", "{{if .number}}open", "{{number}}"]
)
def test_an_error_is_an_error_and_not_an_empty_text(template):
    with pytest.raises(TemplateError):
        render(template, PARAMETERS)
