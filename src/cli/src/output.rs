//! `render`: the template, on standard output or in a file.

use std::path::Path;

use vipward_render::{CODE, Place, Template, parent, within_limits};

use crate::failure::Failure;
use crate::load;
use crate::options::RenderOptions;
use crate::said::Said;

/// Renders the file.
///
/// # Errors
/// A bad file, one that cannot be deployed, or a template that cannot be written.
pub fn render(options: &RenderOptions) -> Result<Said, Failure> {
    let file = &options.file;
    let config = load(file)?;
    let template = Template::render(&config, &place(options)?);
    within_limits(&file.display().to_string(), &config, &template)?;
    let text = template.to_yaml();
    let warnings = warnings(options);
    let Some(output) = &options.output else {
        return Ok(Said { talk: warnings, ..Said::data(text) });
    };
    std::fs::write(output, text)
        .map_err(|source| Failure::Write { path: output.clone(), source })?;
    let (alarms, resources) = (template.alarm_count(), template.resource_count());
    let wrote = format!("wrote {}: {resources} resources, {alarms} alarms\n", output.display());
    let talk = warnings + &wrote;
    Ok(Said { talk, ..Said::default() })
}

fn place(options: &RenderOptions) -> Result<Place, Failure> {
    let template_dir = options.output.as_deref().map_or(Path::new("."), parent);
    if !template_dir.is_dir() {
        return Err(Failure::NoDirectory(template_dir.to_owned()));
    }
    Ok(match &options.config_dir {
        Some(directory) => Place::in_directory(directory, &options.file)?,
        None => Place::seen_from(template_dir, &options.file)?,
    })
}

/// Warnings for whoever builds and deploys the template.
fn warnings(options: &RenderOptions) -> String {
    let mut warnings: Vec<(String, &str)> = Vec::new();
    let directory = options.config_dir.as_deref().unwrap_or_else(|| parent(&options.file));
    let others = others_in(directory, &options.file);
    if !others.is_empty() {
        let (directory, others) = (directory.display(), others.join(", "));
        let what = format!("all of {directory} ships with the functions, including {others}");
        warnings.push((what, "put the configuration into a directory of its own"));
    }
    let root = options.output.as_deref().map_or(Path::new("."), parent);
    if !root.join(CODE).is_dir() {
        let what = format!("the template has no {CODE} beside it");
        warnings
            .push((what, "write the template to the root of vipward's source, for `sam build`"));
    }
    let lines = warnings.iter().map(|(what, cure)| format!("warning: {what}\nhint: {cure}\n"));
    lines.collect::<Vec<_>>().concat()
}

/// Some of what else the directory holds, by name.
fn others_in(directory: &Path, file: &Path) -> Vec<String> {
    const SHOWN: usize = 3;
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name());
    let mut others: Vec<_> = names
        .filter(|name| Some(name.as_os_str()) != file.file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    others.sort();
    others.truncate(SHOWN);
    others
}
