//! The portal's assets: built from `web/`, committed in `crates/recount-ui/dist`.

use std::process::Command;

use anyhow::bail;
use clap::Args;

use crate::environment::install_npm;
use crate::run::{check, command, output, root};

#[derive(Args)]
pub(crate) struct UiArgs {}

const DIST: &str = "crates/recount-ui/dist";

/// Rebuilds the assets in place.
pub(crate) fn run(_: &UiArgs) -> anyhow::Result<()> {
    let web = root().join("web");
    install_npm(&web)?;
    check(Command::new("npm").current_dir(&web).args(["run", "build"]))
}

/// Rebuilds the assets and demands that they equal the committed ones, and fit their budgets.
pub(crate) fn verify() -> anyhow::Result<()> {
    run(&UiArgs {})?;
    for script in ["check", "size"] {
        check(Command::new("npm").current_dir(root().join("web")).args(["run", script]))?;
    }
    let changed = output(command("git").args(["status", "--porcelain", "--", DIST]))?;
    if !changed.trim().is_empty() {
        bail!("{DIST} differs from what web/ builds; run `cargo xtask ui` and commit the result:\n{changed}");
    }
    Ok(())
}
