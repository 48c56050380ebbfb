//! Templates: told, stored, forgotten, previewed.

use super::{AdminError, ETag, Outcome, Precondition};
use crate::compositor::{self, Strangers};
use crate::layout::{LayoutSpec, Template};
use crate::media::{Frame, ShortName, ViewName, Within};
use crate::rooms::library;
use crate::rooms::rehearsal::Rehearsal;
use crate::rooms::resolve::invalid;
use crate::rooms::spec::{CanvasSpec, RoomSpec};
use crate::rooms::{Rooms, TemplateReport};
use crate::store::Shelf;

/// Made-up people at most.
const MOST_PEOPLE: usize = 100;

impl Rooms {
    /// All templates: stock and stored, by name.
    pub fn templates(&self) -> Vec<TemplateReport> {
        let library = self.directory.lock().library.clone();
        library.template_reports()
    }

    /// One template.
    ///
    /// # Errors
    /// Where there is none.
    pub fn template(&self, name: &ShortName) -> Result<(TemplateReport, ETag), AdminError> {
        let report = self.directory.lock().library.template_report(name);
        report.map(|report| (report.clone(), ETag::of_json(&report.template))).ok_or_else(|| no_template(name))
    }

    /// Stores a template; rooms that use it are arranged anew.
    ///
    /// # Errors
    /// See [`AdminError`]; `Conflict` for a stock one.
    pub async fn put_template(
        &self,
        name: &ShortName,
        template: Template,
        wanted: Precondition,
    ) -> Result<(Outcome, TemplateReport, ETag), AdminError> {
        let name = name.clone();
        self.write(move |rooms| {
            let json = serde_json::to_vec_pretty(&template).expect("templates are JSON");
            let was = {
                let directory = rooms.directory.lock();
                let with = directory.library.with_template(&name, template.clone())?;
                directory.anew(&with, |spec| uses(spec, &name))?;
                directory.library.template_report(&name).map(|report| ETag::of_json(&report.template))
            };
            wanted.check(was.as_ref())?;
            rooms.store.keep(Shelf::Layouts, name.as_str(), &json)?;
            let mut directory = rooms.directory.lock();
            let with = directory.library.with_template(&name, template)?;
            directory.take_library(with, |spec| uses(spec, &name))?;
            drop(directory);
            let (report, tag) = rooms.template(&name)?;
            Ok((Outcome::of(was.is_some()), report, tag))
        })
        .await
    }

    /// Forgets a stored template.
    ///
    /// # Errors
    /// `Conflict` for a stock one, and while a room uses it.
    pub async fn delete_template(&self, name: &ShortName, wanted: Precondition) -> Result<(), AdminError> {
        let name = name.clone();
        self.write(move |rooms| {
            let (_, tag) = rooms.template(&name)?;
            if library::is_stock(&name) {
                return Err(AdminError::Conflict(format!("{name} comes with the server and cannot be removed")));
            }
            wanted.check(Some(&tag))?;
            let user = rooms.directory.lock().user(|spec| uses(spec, &name));
            if let Some(user) = user {
                return Err(AdminError::Conflict(format!("{user} uses the template {name}; arrange it otherwise first")));
            }
            rooms.store.forget(Shelf::Layouts, name.as_str())?;
            let mut directory = rooms.directory.lock();
            let without = directory.library.without_template(&name);
            directory.take_library(without, |_| false)
        })
        .await
    }

    /// How a layout looks with `people` made-up people (0 to 100) on a canvas. Takes milliseconds: not for an async thread.
    ///
    /// # Errors
    /// `Invalid` where the layout cannot be.
    pub fn preview(&self, layout: LayoutSpec, canvas: CanvasSpec, people: usize) -> Result<Frame, AdminError> {
        if people > MOST_PEOPLE {
            return Err(invalid("participants", format!("{people} is out of range; send 0 to {MOST_PEOPLE}")));
        }
        let library = self.directory.lock().library.clone();
        let layout = LayoutSpec { transition_ms: Within::of(0), ..layout };
        let settings = RoomSpec { layout, canvas, ..RoomSpec::default() }.resolve(&library).map_err(of_layout)?;
        let scene = Rehearsal::with_strangers(settings, people).scene(&ViewName::main());
        let scene = scene.ok_or_else(|| AdminError::Conflict("the preview could not be drawn; try again".into()))?;
        compositor::still(&scene, &Strangers, self.fonts()).map_err(|error| AdminError::Conflict(error.to_string()))
    }
}

/// Errors name the field in the layout, as it was sent.
fn of_layout(error: AdminError) -> AdminError {
    match error {
        AdminError::Invalid { field, rule } => invalid(field.strip_prefix("layout.").unwrap_or(&field), rule),
        other => other,
    }
}

fn uses(spec: &RoomSpec, name: &ShortName) -> bool {
    spec.templates().any(|used| used == name)
}

fn no_template(name: &ShortName) -> AdminError {
    AdminError::NotFound(format!("template {name}"))
}
