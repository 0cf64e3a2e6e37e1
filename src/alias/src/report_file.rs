//! The report, as a file that is never half written: a new one takes the old one's name.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tracing::warn;
use vipward_core::alias_report::{AliasReport, DEFAULT_PATH};

use crate::failure::Failure;

/// Where to report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportChoice {
    /// Nowhere.
    Off,
    /// At that path, or not run at all.
    At(PathBuf),
}

impl FromStr for ReportChoice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "none" => Self::Off,
            path => Self::At(path.into()),
        })
    }
}

/// The file, if any.
#[derive(Debug)]
pub struct ReportFile {
    path: Option<PathBuf>,
    written: Option<AliasReport>,
    failing: bool,
}

impl ReportFile {
    /// The default path is used where its directory is there; what was chosen must work.
    ///
    /// # Errors
    /// The chosen directory takes no file.
    pub fn choose(choice: Option<&ReportChoice>) -> Result<Self, Failure> {
        let path = match choice {
            Some(ReportChoice::Off) => None,
            Some(ReportChoice::At(path)) => {
                let told = |source| Failure::Report { path: path.clone(), source };
                fs::write(beside(path), "").map_err(told)?;
                Some(path.clone())
            }
            None => Some(PathBuf::from(DEFAULT_PATH)).filter(|path| {
                let outcome = fs::write(beside(path), "");
                if let Err(error) = &outcome {
                    warn!(path = DEFAULT_PATH, %error, "no report for the agent");
                }
                outcome.is_ok()
            }),
        };
        Ok(Self { path, written: None, failing: false })
    }

    /// The next report is written even when it says nothing new: its age shows that the unit runs.
    pub fn refresh(&mut self) {
        self.written = None;
    }

    /// Writes a report that says something new. That it cannot be written is logged once.
    pub fn write(&mut self, report: &AliasReport) {
        let Some(path) = self.path.as_ref().filter(|_| self.written.as_ref() != Some(report))
        else {
            return;
        };
        let text = serde_json::to_vec(report).expect("a report is plain data");
        let outcome = put(path, &text);
        match &outcome {
            Ok(()) => self.written = Some(report.clone()),
            Err(error) if !self.failing => {
                warn!(path = %path.display(), %error, "report not written");
            }
            Err(_) => {}
        }
        self.failing = outcome.is_err();
    }
}

fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    fs::write(beside(path), text)?;
    fs::rename(beside(path), path)
}

fn beside(path: &Path) -> PathBuf {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    new.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(trouble: Option<&str>) -> AliasReport {
        AliasReport {
            version: 1,
            node: None,
            interface: None,
            trouble: trouble.map(ToOwned::to_owned),
            aliases: Vec::new(),
        }
    }

    #[test]
    fn only_news_is_written_and_each_file_is_whole() {
        let folder = std::env::temp_dir().join(format!("vipward-report-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("alias.json");
        let choice = ReportChoice::At(path.clone());
        let mut file = ReportFile::choose(Some(&choice)).expect("it can be written");
        let read = || serde_json::from_slice::<AliasReport>(&fs::read(&path).expect("a file"));

        file.write(&report(None));
        assert_eq!(read().expect("whole"), report(None));
        fs::remove_file(&path).expect("it was there");
        file.write(&report(None));
        assert!(!path.exists(), "no news");
        file.refresh();
        file.write(&report(None));
        assert!(path.exists(), "a sign of life");
        file.write(&report(Some("x")));
        assert_eq!(read().expect("whole"), report(Some("x")));
        let names = fs::read_dir(&folder).expect("a folder").count();
        assert_eq!(names, 1, "nothing is left behind");
        fs::remove_dir_all(&folder).expect("it was ours");
    }

    #[test]
    fn a_path_that_was_chosen_must_work() {
        let choice: ReportChoice = "/nowhere/at/all.json".parse().expect("any text is one");
        let failure = ReportFile::choose(Some(&choice)).expect_err("there is no such place");
        assert!(failure.to_string().contains("/nowhere/at/all.json"), "{failure}");
        assert_eq!("none".parse(), Ok(ReportChoice::Off));
    }
}
