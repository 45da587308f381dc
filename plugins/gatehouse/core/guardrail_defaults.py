"""What the guard rails look for where nothing is configured: patterns of .gitignore's syntax, and words."""

#: Where tests keep data that only looks real.
TEST_DATA = ["test/", "tests/", "testdata/", "test_data/", "__tests__/", "fixtures/", "examples/", "mocks/"]
TEST_FILES = ["*_test.*", "test_*.*", "*.test.*", "*.spec.*", "*Test.java", "*Test.kt", "*.md", "*.example"]

PLACEHOLDERS = [
    "example",
    "dummy",
    "fake",
    "placeholder",
    "changeme",
    "change-me",
    "redacted",
    "not-a-secret",
    "your-",
    "your_",
    "xxxx",
    "****",
    "....",
    "0000",
    "1234567",
    "abcdef",
    "<",
    "${",
    "{{",
    "$(",
]

BASELINES = [
    "*baseline*.json",
    "*baseline*.xml",
    "*baseline*.y*ml",
    "*baseline*.txt",
    ".secrets.baseline",
    "*allowlist*",
    "*allow-list*",
    "*allow_list*",
    ".eslintignore",
    ".trivyignore",
    ".gitleaksignore",
]

SOFT_WORDS = [
    "--passWithNoTests",
    "--pass-with-no-tests",
    "--exit-zero",
    "--deselect",
    "testPathIgnorePatterns",
    "continue-on-error: true",
]

SCRIPTS = ["package.json", "pyproject.toml", "Makefile", "*.mk", "*.sh", ".github/workflows/"]

SOFT_FILES = [
    *SCRIPTS,
    "setup.cfg",
    "tox.ini",
    "pytest.ini",
    "pytest.toml",
    "noxfile.py",
    "jest.config.*",
    "vitest.config.*",
    "Taskfile.y*ml",
    "justfile",
    ".gitlab-ci.yml",
    ".ci/",
]

DEPENDENCY_FILES = [
    *SCRIPTS,
    ".devcontainer/",
    "Dockerfile*",
    "*.dockerfile",
    "go.mod",
    "requirements*.txt",
    "*.tf",
    "Brewfile",
    ".tool-versions",
]

#: In any string of a development container, and what is wrong with it.
UNSAFE_WORDS = {
    "docker.sock": "uses the Docker daemon's socket",
    "--privileged": "runs privileged",
    "NET_ADMIN": "asks for network administration",
    "SYS_ADMIN": "asks for system administration",
    "/dev/net/tun": "needs a tunnel device",
    "docker-in-docker": "runs Docker in the workspace",
    "docker-outside-of-docker": "uses the Docker daemon of the host",
    "docker-from-docker": "uses the Docker daemon of the host",
    "--network=host": "shares the network of the host",
    "seccomp=unconfined": "runs without system call filter",
}
