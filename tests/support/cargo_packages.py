"""Cargo packages that the inner suite's own tests check."""

ALL = ("cargo", "cargo-fmt", "cargo-clippy")

MANIFEST = '[package]\nname = "tiny"\nversion = "0.1.0"\nedition = "2021"\n'

UNIT = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() {}\n}\n"

TINY = {"tiny/Cargo.toml": MANIFEST, "tiny/src/lib.rs": UNIT, "tiny/tests/whole.rs": "#[test]\nfn all() {}\n"}

WORKSPACE = {
    "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n[workspace.dependencies]\nlib = { path = "crates/lib" }\n',
    "crates/lib/Cargo.toml": '[package]\nname = "lib"\n',
    "crates/app/Cargo.toml": (
        '[package]\nname = "app"\n[dependencies]\nlib.workspace = true\n'
        '[target."cfg(unix)".dev-dependencies]\nother = { package = "tool", path = "../../tool" }\n'
    ),
    "tool/Cargo.toml": '[package]\nname = "tool"\n[dependencies]\nserde = "1"\n',
}
