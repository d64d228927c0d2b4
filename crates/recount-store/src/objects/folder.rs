//! Writing to a local folder so that what was acknowledged survives a power cut.
//!
//! A file is written beside its place, fsynced, and linked to its name, which fails if the name is
//! taken. Then every folder up to the root is fsynced, because a name is only as durable as the
//! folders that lead to it. A crash leaves at most a `.partial` file, deleted with the object.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::{ObjectError, unavailable};

const PARTIAL_SUFFIX: &str = ".partial";

/// The folder below which all objects are.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: Arc<PathBuf>,
}

impl Folder {
    /// Creates the folder if it is missing and makes sure that it can be written to.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        let folder = Self { root: Arc::new(root.canonicalize()?) };
        let probe = folder.root.join("write-test.partial");
        File::create(&probe)?.sync_all()?;
        fs::remove_file(&probe)?;
        Ok(folder)
    }

    pub(super) async fn put(&self, name: &str, bytes: Bytes) -> Result<(), ObjectError> {
        self.blocking(name, move |folder, name| {
            let mut partial = folder.begin(name)?;
            partial.write_all(&bytes)?;
            folder.finish(name, &partial)
        })
        .await
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), ObjectError> {
        self.blocking(name, |folder, name| {
            let path = folder.path(name);
            remove_if_there(&partial_of(&path))?;
            remove_if_there(&path)
        })
        .await
    }

    /// Runs file work where it may block.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&Self, &str) -> io::Result<T> + Send + 'static,
    ) -> Result<T, ObjectError> {
        let (folder, owned) = (self.clone(), name.to_owned());
        tokio::task::spawn_blocking(move || work(&folder, &owned))
            .await
            .map_err(|error| unavailable(name, error))?
            .map_err(|error| unavailable(name, error))
    }

    /// Opens the partial file of `name`.
    pub(super) fn begin(&self, name: &str) -> io::Result<File> {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        OpenOptions::new().write(true).create(true).truncate(true).open(partial_of(&path))
    }

    /// Gives the written partial file its name, durably.
    pub(super) fn finish(&self, name: &str, partial_file: &File) -> io::Result<()> {
        let path = self.path(name);
        let partial = partial_of(&path);
        partial_file.sync_all()?;
        // Unlike a rename, a link never replaces an object.
        match fs::hard_link(&partial, &path) {
            Ok(()) => fs::remove_file(&partial)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            // Some file systems have no links.
            Err(_) if !path.exists() => fs::rename(&partial, &path)?,
            Err(error) => return Err(error),
        }
        let mut folder = path.parent();
        while let Some(current) = folder {
            File::open(current)?.sync_all()?;
            if current == self.root.as_path() {
                break;
            }
            folder = current.parent();
        }
        Ok(())
    }

    /// Forgets a partial file.
    pub(super) fn abandon(&self, name: &str) -> io::Result<()> {
        remove_if_there(&partial_of(&self.path(name)))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

fn partial_of(path: &Path) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(PARTIAL_SUFFIX);
    PathBuf::from(text)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_object_is_never_replaced_and_no_partial_file_stays() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let folder = Folder::open(dir.path()).expect("opens");
        let name = "tenants/acme/segments/a.parquet";
        folder.put(name, Bytes::from_static(b"first")).await.expect("new name");
        folder.put(name, Bytes::from_static(b"second")).await.expect_err("the name is taken");
        assert_eq!(fs::read(dir.path().join(name)).expect("there"), b"first");
        folder.delete(name).await.expect("deleted");
        folder.delete(name).await.expect("deleting again is fine");
        let left: Vec<_> = fs::read_dir(dir.path().join("tenants/acme/segments")).expect("folder").collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
