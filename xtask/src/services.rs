//! The servers that tests talk to: started on free loopback ports, stopped by pid when dropped.

pub(crate) mod moto;
pub(crate) mod postgres;
pub(crate) mod seaweedfs;

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// How long a server may take until it accepts connections.
const START_TIMEOUT: Duration = Duration::from_secs(90);
const PROBE_INTERVAL: Duration = Duration::from_millis(100);
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// How long a server may take to stop by itself before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A server process of ours; dropping it stops the process.
pub(crate) struct Service {
    name: &'static str,
    child: Child,
}

impl Service {
    /// Starts `command` with its output in `log`, in a process group of its own.
    pub(crate) fn start(name: &'static str, command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let file =
            std::fs::File::create(log).with_context(|| format!("could not write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("could not start {name}"))?;
        Ok(Self { name, child })
    }

    /// Waits until `port` accepts a connection; fails if the process ends first.
    pub(crate) fn wait_for_port(&mut self, port: u16, log: &Path) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended while starting ({status}); see {}", self.name, log.display());
            }
            let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port).into();
            if TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).is_ok() {
                return Ok(());
            }
            std::thread::sleep(PROBE_INTERVAL);
        }
        bail!("{} did not accept connections on port {port} in {START_TIMEOUT:?}", self.name)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // SIGTERM first, so that servers remove what they keep outside their folder.
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").arg(&pid).status().is_ok_and(|status| status.success());
        let deadline = Instant::now() + STOP_TIMEOUT;
        while asked && Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(PROBE_INTERVAL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback port that was free a moment ago, for which `also` is free too.
pub(crate) fn free_port(also: impl Fn(u16) -> Option<u16>) -> anyhow::Result<u16> {
    const ATTEMPTS_MAX: u32 = 200;
    for _ in 0..ATTEMPTS_MAX {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        match also(port) {
            Some(other) if TcpListener::bind((Ipv4Addr::LOCALHOST, other)).is_ok() => {
                return Ok(port);
            }
            _ => {}
        }
    }
    bail!("found no free port on loopback")
}

/// A loopback port that was free a moment ago.
pub(crate) fn any_free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
