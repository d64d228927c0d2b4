//! Reads of objects for the duplicate check, with a limit on how long a round waits for them.
//!
//! The committer is one task for all tenants, so it can't be as patient as a reader with a bucket
//! that answers slowly or not at all. A read that takes longer than the round may wait goes on by
//! itself and leaves what it finds in the caches. Until it ends, what needs it is not waited for again.

use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::{Instant, timeout_at};

/// Reads that may be under way at once, those included that nobody waits for any more.
const UNDER_WAY_MAX: usize = 64;

/// What is read of an object, and its name.
type Subject = (Part, String);

/// What is read of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    IdFilter,
    Ids,
}

/// The read did not end in time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooSlow;

/// The reads that are under way. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Reads(Arc<Mutex<HashSet<Subject>>>);

impl Reads {
    /// Starts `read` and waits for it until `deadline`.
    pub(super) async fn wait<T: Send + 'static>(
        &self,
        part: Part,
        object: &str,
        deadline: Instant,
        read: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, TooSlow> {
        if Instant::now() >= deadline {
            return Err(TooSlow);
        }
        let under_way = self.begin((part, object.to_owned())).ok_or(TooSlow)?;
        let read = tokio::spawn(async move {
            let result = read.await;
            drop(under_way);
            result
        });
        match timeout_at(deadline, read).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(_)) | Err(_) => Err(TooSlow),
        }
    }

    /// `None` if an earlier round gave up waiting for the same, or for too much.
    fn begin(&self, subject: Subject) -> Option<UnderWay> {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = under_way.len() < UNDER_WAY_MAX && under_way.insert(subject.clone());
        new.then(|| UnderWay { reads: self.clone(), subject })
    }
}

/// Marks a read until it has ended, however it ends.
struct UnderWay {
    reads: Reads,
    subject: Subject,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.reads.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.subject);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;

    fn after(pause: Duration) -> Instant {
        Instant::now() + pause
    }

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_slow_read_ends_by_itself_and_is_waited_for_once() {
        let reads = Reads::default();
        let (answer, answered) = oneshot::channel::<()>();
        let (ended, end) = oneshot::channel();
        let slow = async move {
            answered.await.expect("answered");
            ended.send(()).expect("awaited");
        };
        assert_eq!(reads.wait(Part::Ids, "a", after(SHORT), slow).await, Err(TooSlow));
        assert_eq!(reads.wait(Part::Ids, "a", after(LONG), async {}).await, Err(TooSlow), "under way");
        assert_eq!(reads.wait(Part::IdFilter, "a", after(LONG), async { 7 }).await, Ok(7));
        answer.send(()).expect("it waits");
        end.await.expect("it ends");
        while reads.wait(Part::Ids, "a", after(LONG), async {}).await.is_err() {
            tokio::task::yield_now().await;
        }
        assert_eq!(reads.wait(Part::Ids, "b", Instant::now(), async {}).await, Err(TooSlow), "too late");
    }

    #[tokio::test]
    async fn reads_under_way_are_bounded() {
        let reads = Reads::default();
        let deadline = after(SHORT);
        let wait = |n: usize| {
            let reads = reads.clone();
            async move { reads.wait(Part::Ids, &n.to_string(), deadline, std::future::pending::<()>()).await }
        };
        futures::future::join_all((0..UNDER_WAY_MAX + 10).map(wait)).await;
        assert_eq!(reads.0.lock().expect("not poisoned").len(), UNDER_WAY_MAX);
    }
}
