//! `render`: the template, on standard output or in a file.

use std::path::Path;

use crate::failure::Failure;
use crate::load;
use crate::options::RenderOptions;
use crate::render::{Place, Template, parent, within_limits};
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
    let Some(output) = &options.output else {
        return Ok(Said::data(text));
    };
    std::fs::write(output, text)
        .map_err(|source| Failure::Write { path: output.clone(), source })?;
    let (alarms, resources) = (template.alarm_count(), template.resource_count());
    let talk = format!("wrote {}: {resources} resources, {alarms} alarms\n", output.display());
    Ok(Said { talk, ..Said::default() })
}

fn place(options: &RenderOptions) -> Result<Place, Failure> {
    let template_dir = options.output.as_deref().map_or(Path::new("."), parent);
    Ok(match &options.config_dir {
        Some(directory) => Place::in_directory(directory, &options.file)?,
        None => Place::seen_from(template_dir, &options.file)?,
    })
}
