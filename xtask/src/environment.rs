//! What the tests need beyond Rust: Debian packages, Python tools in a virtual environment,
//! npm packages. Installed once, each installation announced, versions pinned in the lists here
//! and in the lock files.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::run::{check, command, on_path, output, root, say, test_folder};

/// A program that a test starts, and the Debian package that brings it.
const PROGRAMS: &[(&str, &str)] = &[
    ("/usr/bin/chromium", "chromium"),
    ("/usr/sbin/syslog-ng", "syslog-ng-core"),
    ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "fonts-dejavu-core"),
];

/// rsyslog can't be installed beside syslog-ng, so its packages are unpacked into a folder.
const RSYSLOG_PACKAGES: &[&str] = &["rsyslog", "rsyslog-openssl", "libestr0", "libfastjson4", "liblognorm5"];

/// Python tools that tests run against; pinned in this file of the project.
const PYTHON_REQUIREMENTS: &str = "xtask/requirements.txt";
/// ClickHouse, for the benchmarks only: it is large.
const PYTHON_BENCH_REQUIREMENTS: &str = "xtask/requirements-bench.txt";

/// Installs what is missing and says so; fast when everything is there.
pub(crate) fn install() -> anyhow::Result<()> {
    install_debian()?;
    install_python(PYTHON_REQUIREMENTS)
}

/// Installs what only the benchmarks need.
pub(crate) fn install_for_bench() -> anyhow::Result<()> {
    install()?;
    install_python(PYTHON_BENCH_REQUIREMENTS)
}

/// The folder that holds PostgreSQL's server programs, newest version first.
pub(crate) fn postgres_programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    versions.sort();
    versions.pop()
}

/// A program of the Python environment.
pub(crate) fn python_program(name: &str) -> PathBuf {
    test_folder().join("venv").join("bin").join(name)
}

/// The folder with the unpacked rsyslog.
pub(crate) fn rsyslog_folder() -> PathBuf {
    test_folder().join("rsyslog")
}

fn install_debian() -> anyhow::Result<()> {
    let mut missing: Vec<&str> =
        PROGRAMS.iter().filter(|(file, _)| !Path::new(file).exists()).map(|(_, package)| *package).collect();
    if postgres_programs().is_none() {
        missing.push("postgresql");
    }
    let rsyslog = rsyslog_folder();
    let unpack_rsyslog = !rsyslog.join("usr/sbin/rsyslogd").exists();
    if missing.is_empty() && !unpack_rsyslog {
        return Ok(());
    }
    if !on_path("apt-get") {
        bail!("this machine lacks {} and has no apt-get; install them and run again", missing.join(", "));
    }
    check(as_root("apt-get").args(["update", "-qq"]))?;
    if !missing.is_empty() {
        say(&format!("installing Debian packages: {}", missing.join(" ")));
        check(
            as_root("apt-get")
                .env("DEBIAN_FRONTEND", "noninteractive")
                .args(["install", "-y", "-qq", "--no-install-recommends"])
                .args(&missing),
        )?;
    }
    if unpack_rsyslog {
        say(&format!("unpacking rsyslog into {}", rsyslog.display()));
        std::fs::create_dir_all(&rsyslog)?;
        check(Command::new("apt-get").current_dir(&rsyslog).arg("download").args(RSYSLOG_PACKAGES))?;
        for entry in std::fs::read_dir(&rsyslog)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                check(Command::new("dpkg-deb").arg("-x").arg(&path).arg(&rsyslog))?;
            }
        }
    }
    Ok(())
}

fn install_python(requirements: &str) -> anyhow::Result<()> {
    let wanted = std::fs::read_to_string(root().join(requirements))
        .with_context(|| format!("could not read {requirements}"))?;
    let stamp = test_folder().join(requirements.replace('/', "-")).with_extension("installed");
    let python = python_program("python");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) && python.exists() {
        return Ok(());
    }
    say(&format!("installing the Python tools of {requirements} into target/test-env/venv"));
    std::fs::create_dir_all(test_folder())?;
    if !python.exists() {
        check(command("python3").args(["-m", "venv"]).arg(test_folder().join("venv")))?;
    }
    check(
        command(python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(requirements),
    )?;
    std::fs::write(&stamp, wanted)?;
    Ok(())
}

/// Installs a folder's npm packages as its lock file says, if they aren't there already.
pub(crate) fn install_npm(folder: &Path) -> anyhow::Result<()> {
    let lock = std::fs::read_to_string(folder.join("package-lock.json"))
        .with_context(|| format!("{} has no package-lock.json", folder.display()))?;
    let stamp = folder.join("node_modules").join(".installed-lock");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    say(&format!("installing npm packages of {}", folder.display()));
    check(Command::new("npm").current_dir(folder).args([
        "ci",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]))?;
    std::fs::write(&stamp, lock)?;
    Ok(())
}

fn as_root(program: &str) -> Command {
    let is_root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if is_root || !on_path("sudo") {
        return command(program);
    }
    let mut sudo = command("sudo");
    sudo.args(["--preserve-env=DEBIAN_FRONTEND", program]);
    sudo
}
