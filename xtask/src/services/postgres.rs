//! A PostgreSQL server of the tests' own: fresh folder, loopback only, durable as in production.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

use super::{Service, any_free_port};
use crate::environment::postgres_programs;
use crate::run::{check, command, output};

/// A running server and the URL of its superuser.
pub(crate) struct Postgres {
    _service: Service,
    pub(crate) url: String,
}

impl Postgres {
    /// Makes a database cluster in `folder` (emptied first) and starts a server on it.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let programs = postgres_programs().context("PostgreSQL's server programs are missing")?;
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        std::fs::create_dir_all(folder)?;
        let is_root = output(Command::new("id").arg("-u"))?.trim() == "0";
        if is_root {
            // PostgreSQL refuses to run as root.
            check(command("chown").arg("postgres").arg(folder))?;
        }
        let data = folder.join("data");
        check(
            as_postgres(is_root, &programs.join("initdb"))
                .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"])
                .arg("-D")
                .arg(&data)
                .stdout(std::process::Stdio::null()),
        )?;
        let port = any_free_port()?;
        let log = folder.with_extension("log");
        let mut service = Service::start(
            "PostgreSQL",
            as_postgres(is_root, &programs.join("postgres"))
                .arg("-D")
                .arg(&data)
                .arg("-p")
                .arg(port.to_string())
                .args(["-c", "listen_addresses=127.0.0.1"])
                .args(["-c", "unix_socket_directories="])
                .args(["-c", "max_connections=300"]),
            &log,
        )?;
        service.wait_for_port(port, &log)?;
        Ok(Self { _service: service, url: format!("postgres://postgres@127.0.0.1:{port}/postgres") })
    }
}

/// `setpriv` replaces itself by the program, so our child's pid is the server's.
fn as_postgres(is_root: bool, program: &Path) -> Command {
    if !is_root {
        let mut direct = Command::new(program);
        direct.current_dir("/");
        return direct;
    }
    let mut switched = Command::new("setpriv");
    switched
        .args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"])
        .arg(program)
        .current_dir("/");
    switched
}
