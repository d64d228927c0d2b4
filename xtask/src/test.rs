//! `cargo xtask test`: every check, in the order in which a mistake shows soonest.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail};
use clap::Args;

use crate::environment::{install, install_npm, python_program, rsyslog_folder};
use crate::run::{cargo, check, command, root, say, test_folder};
use crate::services::moto::Moto;
use crate::services::postgres::Postgres;
use crate::services::seaweedfs::{ACCESS_KEY, BUCKET, SECRET_KEY, SeaweedFs};
use crate::{tidy, ui};

#[derive(Args)]
pub(crate) struct TestArgs {
    /// Runs only these steps, for example `--only rust,browser`
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Lists the steps and ends
    #[arg(long)]
    list: bool,
}

type Step = (&'static str, &'static str, fn() -> anyhow::Result<()>);

const STEPS: &[Step] = &[
    ("format", "rustfmt leaves every file as it is", format),
    ("tidy", "the workspace's own rules", tidy::run),
    ("lint", "clippy without a warning", lint),
    ("deny", "licences, sources and bans of dependencies", deny),
    ("ui", "the portal's assets build to the committed bytes, within their budgets", ui::verify),
    ("rust", "unit and integration tests, on both catalogs, folder and S3, and real peers", rust),
    ("openapi", "schemathesis against the served OpenAPI document", openapi),
    ("browser", "the portal in Chromium", browser),
];

/// Runs the chosen steps; the first that fails ends the run.
pub(crate) fn run(args: &TestArgs) -> anyhow::Result<()> {
    if args.list {
        for (name, what, _) in STEPS {
            say(&format!("{name:10} {what}"));
        }
        return Ok(());
    }
    if let Some(unknown) = args.only.iter().find(|name| !STEPS.iter().any(|step| step.0 == **name)) {
        bail!("there is no step `{unknown}`; `cargo xtask test --list` names them");
    }
    install()?;
    let mut passed = 0;
    for (name, what, step) in STEPS {
        if !args.only.is_empty() && !args.only.iter().any(|only| only == name) {
            continue;
        }
        say(&format!("\n=== {name}: {what}"));
        let started = Instant::now();
        step().with_context(|| format!("step `{name}` failed"))?;
        say(&format!("=== {name}: ok, {} s", started.elapsed().as_secs()));
        passed += 1;
    }
    say(&format!("\nsteps: {passed} passed, 0 failed"));
    Ok(())
}

fn format() -> anyhow::Result<()> {
    check(cargo().args(["fmt", "--all", "--check"]))
}

fn lint() -> anyhow::Result<()> {
    check(cargo().args(["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))
}

fn deny() -> anyhow::Result<()> {
    const VERSION: &str = "0.20.2";
    let folder = test_folder().join("cargo-tools");
    let program = folder.join("bin").join("cargo-deny");
    if !program.exists() {
        say("installing cargo-deny into target/test-env");
        check(
            cargo()
                .args(["install", "cargo-deny", "--locked", "--quiet", "--version", VERSION])
                .args(["--no-default-features", "--root"])
                .arg(&folder),
        )?;
    }
    check(command(program).args(["check", "bans", "licenses", "sources"]))
}

fn rust() -> anyhow::Result<()> {
    install_npm(&root().join("crates/recount-deliver/tests/peers"))?;
    let services = test_folder().join("services");
    std::fs::create_dir_all(&services)?;
    let postgres = Postgres::start(&services.join("postgres"))?;
    let seaweedfs = SeaweedFs::start(&services.join("seaweedfs"))?;
    let moto = Moto::start(&services.join("moto"))?;
    check(
        cargo()
            .args(["test", "--workspace", "--no-fail-fast"])
            .env("RECOUNT_TEST_POSTGRES", &postgres.url)
            .env("RECOUNT_TEST_S3_ENDPOINT", &seaweedfs.endpoint)
            .env("RECOUNT_TEST_S3_BUCKET", BUCKET)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .env("RECOUNT_TEST_MOTO_ENDPOINT", &moto.endpoint)
            .env("RECOUNT_TEST_PYTHON", python_program("python"))
            .env("RECOUNT_TEST_NODE_DIR", root().join("crates/recount-deliver/tests/peers"))
            .env("RECOUNT_TEST_RSYSLOG_DIR", rsyslog_folder())
            .env("RECOUNT_TEST_SYSLOG_NG", "/usr/sbin/syslog-ng")
            .envs(real_data().map(|folder| ("RECOUNT_REALDATA", folder)))
            .env("RECOUNT_TEST_REQUIRED", "1"),
    )
}

/// Where real events are: the folder that `RECOUNT_REALDATA` names, or one beside the checkout.
fn real_data() -> Option<PathBuf> {
    let named = std::env::var_os("RECOUNT_REALDATA").map(PathBuf::from);
    let beside = root().join("../shared/realdata");
    let found = named.or_else(|| beside.is_dir().then_some(beside));
    if found.is_none() {
        say("NOT RUN: imports of real logs; there is no ../shared/realdata, and RECOUNT_REALDATA is not set");
    }
    found
}

fn openapi() -> anyhow::Result<()> {
    build()?;
    check(command(python_program("python")).arg("xtask/schemathesis/run.py").arg(binary()))
}

fn browser() -> anyhow::Result<()> {
    build()?;
    let web = root().join("web");
    install_npm(&web)?;
    check(Command::new("npm").current_dir(&web).args(["test"]).env("RECOUNT_BIN", binary()))
}

/// Builds the programs as the step `rust` does: another choice of packages would have other
/// features, and build half of the dependencies once more.
fn build() -> anyhow::Result<()> {
    check(cargo().args(["test", "--workspace", "--no-run", "--quiet"]))
}

fn binary() -> std::path::PathBuf {
    root().join("target").join("debug").join("recount")
}
