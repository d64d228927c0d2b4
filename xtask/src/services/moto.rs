//! moto's server: a second S3 implementation, and STS for roles with an external id.

use std::path::Path;

use super::{Service, any_free_port};
use crate::environment::python_program;
use crate::run::command;

/// A running server.
pub(crate) struct Moto {
    _service: Service,
    pub(crate) endpoint: String,
}

impl Moto {
    /// Starts a server that keeps everything in memory.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let port = any_free_port()?;
        let log = folder.with_extension("log");
        let mut service = Service::start(
            "moto",
            command(python_program("moto_server")).args(["-H", "127.0.0.1", "-p"]).arg(port.to_string()),
            &log,
        )?;
        service.wait_for_port(port, &log)?;
        Ok(Self { _service: service, endpoint: format!("http://127.0.0.1:{port}") })
    }
}
