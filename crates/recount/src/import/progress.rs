//! How an import is getting on: a bar on a terminal, a line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressStyle};

use crate::output;

/// Between two lines where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Shows progress on standard error.
#[derive(Debug)]
pub struct Progress {
    began: Instant,
    total_bytes: Option<u64>,
    shown: Shown,
}

#[derive(Debug)]
enum Shown {
    Nothing,
    Bar(ProgressBar),
    Lines { last: Instant },
}

impl Progress {
    /// Begins; `total_bytes` is the size of all inputs if it is known.
    #[must_use]
    pub fn begin(total_bytes: Option<u64>, quiet: bool) -> Self {
        let began = Instant::now();
        let shown = if quiet {
            Shown::Nothing
        } else if output::errors_on_terminal() {
            let bar = total_bytes.map_or_else(ProgressBar::no_length, ProgressBar::new);
            let template = match total_bytes {
                Some(_) => "{bar:24} {percent:>3}%  {bytes}/{total_bytes}  {msg}  eta {eta}",
                None => "{spinner} {bytes}  {msg}",
            };
            bar.set_style(ProgressStyle::with_template(template).expect("the template is right"));
            bar.enable_steady_tick(Duration::from_millis(200));
            Shown::Bar(bar)
        } else {
            Shown::Lines { last: began }
        };
        Self { began, total_bytes, shown }
    }

    /// Tells how far it is.
    pub fn update(&mut self, bytes: u64, records: u64, rejected: u64) {
        let text = || {
            let rate = records as f64 / self.began.elapsed().as_secs_f64().max(0.001);
            let rejected =
                if rejected > 0 { format!(", {} rejected", HumanCount(rejected)) } else { String::new() };
            format!("{} records, {}/s{rejected}", HumanCount(records), HumanCount(rate as u64))
        };
        match &mut self.shown {
            Shown::Nothing => {}
            Shown::Bar(bar) => {
                bar.set_position(bytes);
                bar.set_message(text());
            }
            Shown::Lines { last } => {
                if last.elapsed() >= LINE_INTERVAL {
                    let text = text();
                    *last = Instant::now();
                    match self.total_bytes.filter(|total| *total > 0) {
                        Some(total) => {
                            let left = self
                                .began
                                .elapsed()
                                .mul_f64((total.saturating_sub(bytes)) as f64 / bytes.max(1) as f64);
                            eprintln!(
                                "{} of {} ({}%), {text}, about {} left",
                                HumanBytes(bytes),
                                HumanBytes(total),
                                bytes * 100 / total,
                                HumanDuration(left)
                            );
                        }
                        None => eprintln!("{}, {text}", HumanBytes(bytes)),
                    }
                }
            }
        }
    }

    /// Shows a line for people beside the bar.
    pub fn say(&self, line: &str) {
        match &self.shown {
            Shown::Bar(bar) => bar.suspend(|| eprintln!("{line}")),
            Shown::Nothing | Shown::Lines { .. } => eprintln!("{line}"),
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }

    /// How long it took until now.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}
