//! Objects: immutable files in a local folder or a bucket.
//!
//! Contract of [`Objects::put`]: the name is new (names are never used again), the bytes are
//! durable when it returns, and nobody ever sees part of them. A failed put may have happened;
//! the writer's intent (`catalog/garbage.rs`) covers it.

mod folder;
mod read_at;
mod s3;
mod upload;

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutOptions};
use recount_event::TenantId;
use uuid::Uuid;

use crate::config::ObjectsLocation;
use crate::error::OpenError;

pub(crate) use read_at::ObjectReader;
pub(crate) use upload::Upload;

/// What went wrong with an object.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ObjectError {
    /// There is no such object.
    #[error("object {name} does not exist")]
    NotFound { name: String },
    /// The store did not answer as it should; trying again later can help.
    #[error("object {name}: {detail}")]
    Unavailable { name: String, detail: String },
}

/// A handle on the object store. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Objects {
    backend: Backend,
    /// Folder or bucket, for messages.
    place: Arc<str>,
    #[cfg(feature = "testing")]
    pub(crate) faults: crate::testing::Faults,
}

#[derive(Clone)]
enum Backend {
    /// Written by us, because `object_store` 0.13 does not fsync; read through it.
    Folder {
        folder: folder::Folder,
        store: Arc<dyn ObjectStore>,
    },
    Bucket {
        store: Arc<dyn ObjectStore>,
        prefix: Path,
    },
}

impl Objects {
    /// Opens the store and checks that it can be used.
    pub(crate) fn open(location: &ObjectsLocation) -> Result<Self, OpenError> {
        let failed = |place: &str, detail: String| OpenError::Objects { place: place.to_owned(), detail };
        let (backend, place) = match location {
            ObjectsLocation::Folder(path) => {
                let place = path.display().to_string();
                let folder = folder::Folder::open(path).map_err(|e| failed(&place, e.to_string()))?;
                let store = object_store::local::LocalFileSystem::new_with_prefix(path)
                    .map_err(|error| failed(&place, error.to_string()))?;
                (Backend::Folder { folder, store: Arc::new(store) }, place)
            }
            ObjectsLocation::S3(location) => {
                let place = format!("s3://{}/{}", location.bucket, location.prefix);
                let store = s3::open(location).map_err(|detail| failed(&place, detail))?;
                let prefix = Path::parse(&location.prefix).map_err(|e| failed(&place, e.to_string()))?;
                (Backend::Bucket { store, prefix }, place)
            }
        };
        Ok(Self {
            backend,
            place: place.into(),
            #[cfg(feature = "testing")]
            faults: crate::testing::Faults::default(),
        })
    }

    /// Whether the store answers and lets us look; a wrong key or bucket shows here, at the start.
    pub(crate) async fn check(&self) -> Result<(), OpenError> {
        // Nothing has this name: "not found" is the right answer.
        const PROBE: &str = "tenants/.open-check";
        let failed = |detail: String| OpenError::Objects { place: self.place.to_string(), detail };
        let path = self.path(PROBE).map_err(|error| failed(error.to_string()))?;
        match self.store().head(&path).await {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Stores `bytes` under a new name; durable when it returns.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`]; the object may exist all the same.
    pub(crate) async fn put(&self, name: &str, bytes: Bytes) -> Result<(), ObjectError> {
        #[cfg(feature = "testing")]
        let fault = self.faults.at(crate::testing::FaultPoint::Put);
        #[cfg(feature = "testing")]
        if fault == Some(crate::testing::Fault::NotDone) {
            return Err(unavailable(name, "injected fault"));
        }
        match &self.backend {
            Backend::Folder { folder, .. } => folder.put(name, bytes).await?,
            Backend::Bucket { store, .. } => self.put_in_bucket(store, name, bytes).await?,
        }
        #[cfg(feature = "testing")]
        if fault == Some(crate::testing::Fault::DoneAnyway) {
            return Err(unavailable(name, "injected fault"));
        }
        Ok(())
    }

    /// A create whose answer was lost is retried inside the client and then finds its own object;
    /// since names are never used again, an object of the right size is ours.
    async fn put_in_bucket(
        &self,
        store: &Arc<dyn ObjectStore>,
        name: &str,
        bytes: Bytes,
    ) -> Result<(), ObjectError> {
        let (path, len) = (self.path(name)?, bytes.len() as u64);
        let create = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let Err(error) = store.put_opts(&path, bytes.into(), create).await else { return Ok(()) };
        match store.head(&path).await {
            Ok(found) if found.size == len => Ok(()),
            _ => Err(unavailable(name, error)),
        }
    }

    /// Begins an object whose size is not known yet.
    pub(crate) async fn upload(&self, name: &str) -> Result<Upload, ObjectError> {
        match &self.backend {
            Backend::Folder { folder, .. } => Upload::to_folder(folder.clone(), name).await,
            Backend::Bucket { store, .. } => {
                Upload::to_bucket(Arc::clone(store), self.path(name)?, name).await
            }
        }
    }

    /// Random access to an object of `len` bytes; asks nothing of the store yet.
    pub(crate) fn reader(&self, name: &str, len: u64) -> Result<Arc<ObjectReader>, ObjectError> {
        Ok(Arc::new(ObjectReader::new(self.clone(), name, self.path(name)?, len)))
    }

    /// The whole object, piece by piece.
    pub(crate) async fn stream(
        &self,
        name: &str,
    ) -> Result<futures::stream::BoxStream<'static, Result<Bytes, ObjectError>>, ObjectError> {
        let result = self.store().get(&self.path(name)?).await.map_err(|e| from_store(name, e))?;
        let name = name.to_owned();
        Ok(result.into_stream().map(move |part| part.map_err(|e| from_store(&name, e))).boxed())
    }

    /// Deletes the object; one that does not exist counts as deleted.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), ObjectError> {
        #[cfg(feature = "testing")]
        let fault = self.faults.at(crate::testing::FaultPoint::Delete);
        #[cfg(feature = "testing")]
        if fault == Some(crate::testing::Fault::NotDone) {
            return Err(unavailable(name, "injected fault"));
        }
        match &self.backend {
            Backend::Folder { folder, .. } => folder.delete(name).await?,
            Backend::Bucket { store, .. } => match store.delete(&self.path(name)?).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(unavailable(name, error)),
            },
        }
        #[cfg(feature = "testing")]
        if fault == Some(crate::testing::Fault::DoneAnyway) {
            return Err(unavailable(name, "injected fault"));
        }
        Ok(())
    }

    /// Names of all objects below `prefix`, sorted. For tests and repair: it reads the whole list.
    #[cfg_attr(not(feature = "testing"), expect(dead_code, reason = "for tests and repair"))]
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<String>, ObjectError> {
        let base = match &self.backend {
            Backend::Folder { .. } => 0,
            Backend::Bucket { prefix, .. } => prefix.parts().count(),
        };
        let mut names = Vec::new();
        let mut listing = self.store().list(Some(&self.path(prefix)?));
        while let Some(meta) = listing.next().await {
            let meta = meta.map_err(|error| from_store(prefix, error))?;
            let parts: Vec<_> = meta.location.parts().skip(base).collect();
            let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
            names.push(parts.join("/"));
        }
        names.sort();
        Ok(names)
    }

    pub(crate) fn store(&self) -> &Arc<dyn ObjectStore> {
        match &self.backend {
            Backend::Folder { store, .. } | Backend::Bucket { store, .. } => store,
        }
    }

    fn path(&self, name: &str) -> Result<Path, ObjectError> {
        let full = match &self.backend {
            Backend::Bucket { prefix, .. } if !prefix.as_ref().is_empty() => format!("{prefix}/{name}"),
            _ => name.to_owned(),
        };
        Path::parse(full).map_err(|error| unavailable(name, error))
    }
}

/// The name of a new segment of `first..=last`; the random part makes it unique for ever.
pub(crate) fn segment_name(tenant: &TenantId, first: u64, last: u64, unique: Uuid) -> String {
    format!("tenants/{tenant}/segments/{first:020}-{last:020}-{}.parquet", unique.simple())
}

fn unavailable(name: &str, detail: impl std::fmt::Display) -> ObjectError {
    ObjectError::Unavailable { name: name.to_owned(), detail: detail.to_string() }
}

fn from_store(name: &str, error: object_store::Error) -> ObjectError {
    match error {
        object_store::Error::NotFound { .. } => ObjectError::NotFound { name: name.to_owned() },
        error => unavailable(name, error),
    }
}
