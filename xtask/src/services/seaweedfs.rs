//! An S3 server (SeaweedFS) that checks signatures and conditional puts.

use std::path::Path;

use super::{Service, free_port};
use crate::environment::python_program;
use crate::run::{check, command};

/// SeaweedFS listens for gRPC this far above each HTTP port.
const GRPC_PORT_OFFSET: u16 = 10_000;

/// A running server, its bucket and keys.
pub(crate) struct SeaweedFs {
    _service: Service,
    pub(crate) endpoint: String,
}

/// The bucket that exists once the server runs.
pub(crate) const BUCKET: &str = "recount-test";
pub(crate) const ACCESS_KEY: &str = "recount-test-access";
pub(crate) const SECRET_KEY: &str = "recount-test-secret";

impl SeaweedFs {
    /// Starts a server on an emptied `folder` and makes the bucket.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        std::fs::create_dir_all(folder)?;
        let identities = folder.join("s3.json");
        std::fs::write(
            &identities,
            format!(
                r#"{{"identities":[{{"name":"test","credentials":[{{"accessKey":"{ACCESS_KEY}","secretKey":"{SECRET_KEY}"}}],"actions":["Admin","Read","Write","List","Tagging"]}}]}}"#
            ),
        )?;
        let with_grpc = |port: u16| port.checked_add(GRPC_PORT_OFFSET);
        let mut flags = Vec::new();
        for flag in ["master.port", "volume.port", "filer.port"] {
            flags.push(format!("-{flag}={}", free_port(with_grpc)?));
        }
        let port = free_port(with_grpc)?;
        let log = folder.with_extension("log");
        let mut service = Service::start(
            "SeaweedFS",
            command(python_program("weed"))
                .args(["server", "-s3", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"])
                .arg(format!("-dir={}", folder.display()))
                .arg(format!("-s3.port={port}"))
                .arg(format!("-s3.config={}", identities.display()))
                .args(&flags)
                // Two more servers that it would start on fixed ports.
                .args(["-s3.port.iceberg=0", "-s3.port.lance=0"])
                .args(["-master.telemetry=false", "-master.volumeSizeLimitMB=256", "-volume.max=100"]),
            &log,
        )?;
        service.wait_for_port(port, &log)?;
        let endpoint = format!("http://127.0.0.1:{port}");
        // The S3 port opens before the filer behind it is ready: the bucket is made with retries.
        check(
            command("curl")
                .args(["--silent", "--show-error", "--fail", "--retry", "60", "--retry-all-errors"])
                .args(["--retry-delay", "1", "--aws-sigv4", "aws:amz:us-east-1:s3"])
                .arg("--user")
                .arg(format!("{ACCESS_KEY}:{SECRET_KEY}"))
                .args(["-X", "PUT"])
                .arg(format!("{endpoint}/{BUCKET}")),
        )?;
        Ok(Self { _service: service, endpoint })
    }
}
