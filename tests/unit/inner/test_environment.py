from gatehouse.inner.environment import check_environment, key_environment


def test_checks_get_no_secrets_no_cluster_and_no_settings_of_this_run(tmp_path):
    base = {
        "PATH": "/bin",
        "HOME": "/root",
        "GITHUB_TOKEN": "t",
        "DB_PASSWORD": "p",
        "KUBECONFIG": "/root/.kube/config",
        "PYTEST_ADDOPTS": "-x",
        "GIT_DIR": "/elsewhere",
        "CODER_URL": "http://coder",
        "KUBERNETES_SERVICE_HOST": "10.0.0.1",
    }

    environment = check_environment(base, tmp_path)

    assert {name for name in base if name in environment} == {"PATH", "HOME", "KUBECONFIG"}
    assert environment["KUBECONFIG"] == "/dev/null"
    assert environment["NO_COLOR"] == environment["CI"] == "1"


def test_what_is_not_known_to_toolchains_is_passed_on_only_by_name(tmp_path):
    base = {"PATH": "/bin", "EDITOR": "vi", "DATABASE_NAME": "shop", "GOFLAGS": "-v"}

    assert "DATABASE_NAME" not in check_environment(base, tmp_path)
    assert check_environment(base, tmp_path, ["DATABASE_NAME"])["DATABASE_NAME"] == "shop"
    assert check_environment(base, tmp_path)["GOFLAGS"] == "-v"


def test_where_things_are_is_no_part_of_a_key(tmp_path):
    here = key_environment(
        check_environment({"HOME": "/home/a", "PATH": "/a/bin", "GOOS": "linux"}, tmp_path)
    )
    there = key_environment(
        check_environment({"HOME": "/home/b", "PATH": "/b/bin", "GOOS": "linux"}, tmp_path)
    )
    other = key_environment(check_environment({"HOME": "/home/b", "PATH": "/b/bin", "GOOS": "js"}, tmp_path))

    assert here == there != other
