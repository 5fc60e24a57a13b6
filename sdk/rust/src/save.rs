//! Results on disk, of failed tasks too.

use crate::{Client, ClientError, FileJob, StageOutput};
use opensky_api::{
    content::ContentView,
    progress::{JobDetail, RunView, RunsQuery, VerdictView},
};
use opensky_types::{JobId, place::Level};
use std::path::{Component, Path, PathBuf};
use tokio::{fs, io::AsyncWriteExt};

/// What was written where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Saved {
    /// Files and folders that the job file asked for.
    pub outputs: Vec<PathBuf>,
    /// The folder with everything that the last stages and all failed runs left:
    /// `STAGE/INDEX/stdout`, `STAGE/INDEX/stderr`, `STAGE/INDEX/files/…`, and for failed runs the same
    /// under `STAGE/INDEX/failed-ATTEMPT/`.
    pub folder: PathBuf,
    /// Output files whose path was not a plain path below `files/`, and so were not written.
    pub refused: Vec<String>,
}

impl Client {
    /// Writes a job's results below `folder` and to the places that its file names.
    pub async fn save(&self, job: &FileJob, folder: &Path) -> Result<Saved, ClientError> {
        let detail = self.job(job.job).await?;
        let mut saved = Saved { folder: folder.to_owned(), ..Saved::default() };
        for output in &job.outputs {
            let stage = detail.stages.get(usize::from(output.stage));
            let is_function = stage.is_some_and(|stage| stage.level == Level::Function);
            self.save_output(job.job, output, is_function).await?;
            saved.outputs.push(output.path.clone());
        }
        fs::create_dir_all(folder).await.map_err(ClientError::write(folder))?;
        for run in self.kept_runs(job.job, &detail).await? {
            self.save_run(&detail, &run, &mut saved).await?;
        }
        Ok(saved)
    }

    async fn kept_runs(&self, job: JobId, detail: &JobDetail) -> Result<Vec<RunView>, ClientError> {
        let mut runs = Vec::new();
        let is_last =
            |run: &RunView| detail.stages.get(usize::from(run.task.stage)).is_some_and(|s| s.is_last);
        self.for_each_run(job, RunsQuery::default(), |run| match run.verdict {
            VerdictView::Accepted if is_last(&run) => runs.push(run),
            VerdictView::Failed => runs.push(run),
            _ => {}
        })
        .await?;
        Ok(runs)
    }

    async fn save_run(
        &self,
        detail: &JobDetail,
        run: &RunView,
        saved: &mut Saved,
    ) -> Result<(), ClientError> {
        let stage = detail.stages.get(usize::from(run.task.stage)).map_or("stage", |stage| &stage.name);
        let mut folder = saved.folder.join(file_name(stage)).join(run.task.index.to_string());
        if run.verdict == VerdictView::Failed {
            folder = folder.join(format!("failed-{}", run.attempt));
        }
        self.save_content(&run.stdout, &folder.join("stdout")).await?;
        if run.stderr.size_bytes > 0 {
            self.save_content(&run.stderr, &folder.join("stderr")).await?;
        }
        for file in &run.files {
            match path_below(&folder.join("files"), &file.path) {
                Some(path) => self.save_content(&file.content, &path).await?,
                None => saved.refused.push(file.path.clone()),
            }
        }
        Ok(())
    }

    /// A function's result is a value without an end of line, so each gets one.
    async fn save_output(
        &self,
        job: JobId,
        output: &StageOutput,
        is_function: bool,
    ) -> Result<(), ClientError> {
        let query = RunsQuery {
            state: Some(VerdictView::Accepted),
            stage: Some(output.stage),
            ..RunsQuery::default()
        };
        let mut parts: Vec<(u32, ContentView)> = Vec::new();
        // What a task wrote that failed is no result, though its stage may fail.
        let results = |run: RunView| {
            if !run.failed {
                parts.push((run.task.index, run.stdout))
            }
        };
        self.for_each_run(job, query, results).await?;
        parts.sort_by_key(|(index, _)| *index);
        if output.folder {
            for (index, content) in &parts {
                self.save_content(content, &output.path.join(format!("{index}.out"))).await?;
            }
            return Ok(());
        }
        let mut file = create(&output.path).await?;
        for (_, content) in &parts {
            self.copy_content(content, &mut file, &output.path).await?;
            if is_function {
                file.write_all(b"\n").await.map_err(ClientError::write(&output.path))?;
            }
        }
        file.flush().await.map_err(ClientError::write(&output.path))
    }

    async fn save_content(&self, content: &ContentView, path: &Path) -> Result<(), ClientError> {
        let mut file = create(path).await?;
        self.copy_content(content, &mut file, path).await?;
        file.flush().await.map_err(ClientError::write(path))
    }
}

async fn create(path: &Path) -> Result<fs::File, ClientError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).await.map_err(ClientError::write(folder))?;
    }
    fs::File::create(path).await.map_err(ClientError::write(path))
}

/// `path`, which a program chose, below `folder`; `None` unless it is a plain relative path (J1).
pub fn path_below(folder: &Path, path: &str) -> Option<PathBuf> {
    let plain = !path.is_empty() && path.len() <= 4096 && !path.chars().any(char::is_control);
    let parts = Path::new(path).components();
    let inside = plain && parts.clone().all(|part| matches!(part, Component::Normal(_)));
    (inside && !path.contains('\\')).then(|| folder.join(path))
}

/// A stage's name as the name of a folder.
fn file_name(name: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ') { c } else { '_' };
    let name: String = name.chars().map(safe).collect();
    if name.trim_matches('.').is_empty() { format!("stage-{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j1_output_paths_stay_below_their_folder() {
        let folder = Path::new("/results");
        assert_eq!(path_below(folder, "a/b.txt"), Some(PathBuf::from("/results/a/b.txt")));
        for bad in ["", "/etc/passwd", "../x", "a/../../x", "a\\..\\x", "a\nb", "./../x"] {
            assert_eq!(path_below(folder, bad), None, "{bad:?}");
        }
        assert_eq!(file_name(".."), "stage-..");
        assert_eq!(file_name("a/b"), "a_b");
    }
}
