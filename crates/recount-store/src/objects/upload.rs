//! Objects written piece by piece: exports, whose size is not known when they begin.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, WriteMultipart};

use super::folder::Folder;
use super::{ObjectError, unavailable};

/// Parts that may be on their way to a bucket at once.
const PARTS_IN_FLIGHT_MAX: usize = 4;

/// An object that does not exist until [`finish`](Self::finish) returns.
pub(crate) struct Upload {
    name: String,
    target: Target,
}

enum Target {
    Folder { folder: Folder, file: Option<File> },
    Bucket(Box<WriteMultipart>),
}

impl Upload {
    pub(super) async fn to_folder(folder: Folder, name: &str) -> Result<Self, ObjectError> {
        let file = folder.blocking(name, |folder, name| folder.begin(name)).await?;
        Ok(Self { name: name.to_owned(), target: Target::Folder { folder, file: Some(file) } })
    }

    pub(super) async fn to_bucket(
        store: Arc<dyn ObjectStore>,
        path: Path,
        name: &str,
    ) -> Result<Self, ObjectError> {
        let upload = store.put_multipart(&path).await.map_err(|e| unavailable(name, e))?;
        let writer = WriteMultipart::new(upload);
        Ok(Self { name: name.to_owned(), target: Target::Bucket(Box::new(writer)) })
    }

    /// Appends `bytes`; waits while too much is on its way.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), ObjectError> {
        match &mut self.target {
            Target::Folder { folder, file } => {
                let mut open =
                    file.take().ok_or_else(|| unavailable(&self.name, "an earlier write failed"))?;
                let written = folder
                    .blocking(&self.name, move |_, _| {
                        open.write_all(&bytes)?;
                        Ok(open)
                    })
                    .await?;
                *file = Some(written);
            }
            Target::Bucket(writer) => {
                writer
                    .wait_for_capacity(PARTS_IN_FLIGHT_MAX)
                    .await
                    .map_err(|error| unavailable(&self.name, error))?;
                writer.put(bytes);
            }
        }
        Ok(())
    }

    /// Makes the object exist, durably.
    pub(crate) async fn finish(self) -> Result<(), ObjectError> {
        match self.target {
            Target::Folder { folder, file } => {
                let file = file.ok_or_else(|| unavailable(&self.name, "an earlier write failed"))?;
                folder.blocking(&self.name, move |folder, name| folder.finish(name, &file)).await
            }
            Target::Bucket(writer) => {
                writer.finish().await.map(drop).map_err(|error| unavailable(&self.name, error))
            }
        }
    }

    /// Gives up; nothing stays.
    pub(crate) async fn abandon(self) -> Result<(), ObjectError> {
        match self.target {
            Target::Folder { folder, file } => {
                drop(file);
                folder.blocking(&self.name, |folder, name| folder.abandon(name)).await
            }
            Target::Bucket(writer) => writer.abort().await.map_err(|e| unavailable(&self.name, e)),
        }
    }
}
