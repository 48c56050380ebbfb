//! What happens in a call and when: the lines of `events.jsonl`.
//!
//! In: JSON, a line each. Out: the settings that the call had, its own templates, and deeds in the order of their times. Never: an event
//! that the call brings about by itself again, such as who is the active speaker: those lines are passed over, and so are kinds that are
//! not known.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::RenderError;
use crate::layout::{LayoutSpec, Template};
use crate::media::{MediaTime, ParticipantId, ShortName, ViewName, unfit_to_show};
use crate::room::{Change, RoomSettings, Source};

/// The longest line: settings with all their regions take some kilobytes.
const LONGEST_LINE: u64 = 1 << 20;
/// The latest time: a week.
const LATEST_MS: u64 = 7 * 24 * 3_600_000;
/// The longest name, in characters.
const LONGEST_NAME: usize = 64;
/// Names of templates: many times what a server keeps at once, since a long call may see some come and go.
const MOST_TEMPLATES: usize = 10_000;

/// Templates that do not come with the server, by name.
pub type Templates = BTreeMap<ShortName, Arc<Template>>;

/// What a call was like.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// As `PUT /v1/rooms/{room}` takes them; only a recording has them.
    pub(super) settings: Option<Value>,
    /// Each as it is told first.
    pub(super) templates: Templates,
    /// By time; those of one time in the order of their lines.
    pub(super) deeds: Vec<(MediaTime, Deed)>,
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Deed {
    /// Somebody comes.
    Join(Entrance),
    /// Somebody goes.
    Leave(ParticipantId),
    /// Something about somebody is another.
    Change(ParticipantId, Change),
    /// From here on this is the template of that name.
    Template(ShortName, Arc<Template>),
    /// The main view is arranged otherwise.
    Arrange(LayoutSpec),
    /// The room is set up otherwise, as `PUT /v1/rooms/{room}` takes it.
    Settings(Value),
    /// The same, found to be right.
    Configure(Box<RoomSettings>),
}

/// Somebody who comes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entrance {
    pub(super) id: ParticipantId,
    pub(super) name: Arc<str>,
    pub(super) source: Source,
    /// What is said of them as they come.
    pub(super) change: Change,
    /// Where their pictures and sound are, beside the events.
    pub(super) file: Option<String>,
}

/// A line. What an event says stands in `detail`, or beside it.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    at_ms: u64,
    event: Option<String>,
    settings: Option<Value>,
    participant: Option<String>,
    view: Option<ViewName>,
    #[serde(default)]
    detail: Map<String, Value>,
    #[serde(flatten)]
    beside: Map<String, Value>,
}

/// What is said of a template.
#[derive(Deserialize)]
struct Own {
    name: ShortName,
    template: Template,
}

/// What is said of somebody.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Person {
    name: Option<String>,
    source: Origin,
    #[serde(deserialize_with = "said")]
    role: Option<Option<ShortName>>,
    muted: Option<bool>,
    hidden: Option<bool>,
    gain_db: Option<f32>,
    pinned: Option<bool>,
    file: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Origin {
    #[default]
    Camera,
    Screen,
}

impl Deed {
    /// Who comes, where somebody does.
    pub(super) fn entrance(&self) -> Option<&Entrance> {
        if let Self::Join(entrance) = self { Some(entrance) } else { None }
    }
}

impl Script {
    /// Reads a file. Its last line may be cut off: whoever wrote it may have been killed.
    ///
    /// # Errors
    /// [`RenderError::Events`] with the number of the line.
    pub(super) fn read(path: &Path) -> Result<Self, RenderError> {
        let wrong = |line: usize, reason: String| RenderError::Events { path: path.into(), line, reason };
        let file = std::fs::File::open(path).map_err(|source| RenderError::Read { path: path.into(), source })?;
        let (mut script, mut reader, mut text) = (Self::default(), BufReader::new(file), Vec::new());
        for number in 1.. {
            text.clear();
            let read = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut text);
            let length = read.map_err(|source| RenderError::Read { path: path.into(), source })?;
            if length as u64 == LONGEST_LINE {
                return Err(wrong(number, format!("is longer than {LONGEST_LINE} bytes")));
            }
            let is_whole = text.ends_with(b"\n");
            match script.take(&text) {
                Err(_) if !is_whole => break,
                taken => taken.map_err(|reason| wrong(number, reason))?,
            }
            if !is_whole {
                break;
            }
        }
        script.deeds.sort_by_key(|(at, _)| *at);
        Ok(script)
    }

    fn take(&mut self, line: &[u8]) -> Result<(), String> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        if line.at_ms > LATEST_MS {
            return Err(format!("at_ms: {} is more than a week; send at most {LATEST_MS}", line.at_ms));
        }
        let at = MediaTime::from_millis(line.at_ms);
        let Some(event) = line.event.clone() else {
            self.settings = line.settings.or(self.settings.take());
            return Ok(());
        };
        let deed = line.deed(&event)?;
        if let Some(Deed::Template(name, template)) = &deed {
            self.templates.entry(name.clone()).or_insert_with(|| template.clone());
            check_templates(&self.templates)?;
        }
        self.deeds.extend(deed.map(|deed| (at, deed)));
        Ok(())
    }
}

impl Line {
    fn deed(self, event: &str) -> Result<Option<Deed>, String> {
        Ok(Some(match event {
            "joined" => self.join()?,
            "left" => Deed::Leave(self.about()?),
            "muted" | "changed" => Deed::Change(self.about()?, self.person()?.change()),
            "template" => self.template()?,
            // Other views are not filmed
            "layout" if self.view.as_ref().is_none_or(|view| *view == ViewName::main()) => self.arrange()?,
            "settings" if !self.detail.is_empty() => Deed::Settings(Value::Object(self.detail)),
            _ => return Ok(None),
        }))
    }

    /// Whom it is about.
    fn about(&self) -> Result<ParticipantId, String> {
        let id = self.participant.as_deref().ok_or("names nobody: send \"participant\": \"p1\"")?;
        let number = id.strip_prefix('p').and_then(|number| number.parse().ok());
        number.map(ParticipantId).ok_or_else(|| format!("participant {id:?} is no id: send p and a number, such as \"p1\""))
    }

    fn said(&self) -> Value {
        let mut said = self.beside.clone();
        said.extend(self.detail.clone());
        Value::Object(said)
    }

    fn person(&self) -> Result<Person, String> {
        serde_json::from_value(self.said()).map_err(|error| error.to_string())
    }

    fn join(self) -> Result<Deed, String> {
        let (id, mut person) = (self.about()?, self.person()?);
        let name = person.name.take().map_or_else(|| id.to_string(), |name| presentable(&name));
        let source = match person.source {
            Origin::Camera => Source::Camera,
            Origin::Screen => Source::Screen,
        };
        let file = person.file.take();
        Ok(Deed::Join(Entrance { id, name: name.into(), source, change: person.change(), file }))
    }

    fn template(self) -> Result<Deed, String> {
        let Own { name, template } = serde_json::from_value(self.said()).map_err(|error| format!("is no template: {error}"))?;
        template.check().map_err(|error| format!("the template {name} cannot be used: {error}"))?;
        Ok(Deed::Template(name, Arc::new(template)))
    }

    fn arrange(mut self) -> Result<Deed, String> {
        // The time on the server's line stands beside the event, not in the layout
        self.beside.remove("time_ms");
        let spec = serde_json::from_value(self.said()).map_err(|error| format!("is no layout: {error}"))?;
        Ok(Deed::Arrange(spec))
    }
}

impl Person {
    fn change(self) -> Change {
        Change {
            name: self.name.map(|name| presentable(&name).into()),
            role: self.role,
            muted: self.muted,
            hidden: self.hidden,
            gain_db: self.gain_db,
            pinned: self.pinned,
        }
    }
}

fn check_templates(templates: &Templates) -> Result<(), String> {
    if templates.len() > MOST_TEMPLATES { Err(format!("is one template too many: there may be {MOST_TEMPLATES}")) } else { Ok(()) }
}

/// A name as it may be shown.
pub(super) fn presentable(name: &str) -> String {
    name.chars().filter(|c| !unfit_to_show(*c)).take(LONGEST_NAME).collect()
}

/// A role that is said to be none is another thing than one that nothing is said of.
fn said<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<ShortName>>, D::Error> {
    Option::deserialize(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Script, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Script::read(file.path()).map_err(|error| error.to_string())
    }

    const CALL: &str = r#"{"medley": 1, "room": "standup", "started": "2026-11-23T10:00:00Z", "settings": {"canvas": {"fps": 25}}}
{"at_ms": 0, "event": "joined", "participant": "p1", "name": "Ada", "source": "camera", "role": "host", "muted": true, "file": "p1.mp4"}
{"at_ms": 1500, "event": "joined", "time_ms": 7, "participant": "p2", "detail": {"name": "Bo\u0007b", "source": "screen", "role": null}}
{"at_ms": 1000, "event": "muted", "participant": "p1", "detail": {"muted": false}}
{"at_ms": 1200, "event": "speaker", "participant": "p1"}
{"at_ms": 2000, "event": "layout", "time_ms": 9, "view": "main", "detail": {"template": "speaker"}}
{"at_ms": 2000, "event": "layout", "view": "stage", "detail": {"template": "of-an-admin"}}
{"at_ms": 2000, "event": "settings", "detail": {"locked": true}}
{"at_ms": 2000, "event": "left", "participant": "p2"}
"#;

    #[test]
    fn a_call_is_read_in_the_order_of_its_times() {
        let script = read(CALL).unwrap();
        assert_eq!(script.settings.unwrap()["canvas"]["fps"], 25);
        let ada = Entrance {
            id: ParticipantId(1),
            name: "Ada".into(),
            source: Source::Camera,
            change: Change { role: Some(Some("host".parse().unwrap())), muted: Some(true), ..Change::default() },
            file: Some("p1.mp4".into()),
        };
        let bob = Entrance {
            id: ParticipantId(2),
            name: "Bob".into(),
            source: Source::Screen,
            change: Change { role: Some(None), ..Change::default() },
            file: None,
        };
        let told: Vec<_> = script.deeds.into_iter().map(|(at, deed)| (at.as_millis(), deed)).collect();
        let heard = Deed::Change(ParticipantId(1), Change { muted: Some(false), ..Change::default() });
        let wanted = [
            (0, Deed::Join(ada)),
            (1000, heard),
            (1500, Deed::Join(bob)),
            (2000, Deed::Arrange(LayoutSpec::template("speaker".parse().unwrap()))),
            (2000, Deed::Settings(serde_json::json!({"locked": true}))),
            (2000, Deed::Leave(ParticipantId(2))),
        ];
        assert_eq!(told, wanted);
    }

    fn own(name: &str, at_ms: u64, title: &str) -> String {
        let all = r#"[{"regions": [{"id": "all", "left": 0, "top": 0, "width": 1, "height": 1}]}]"#;
        let template = format!(r#"{{"title": "{title}", "arrangements": {all}}}"#);
        format!(r#"{{"at_ms": {at_ms}, "event": "template", "detail": {{"name": "{name}", "template": {template}}}}}"#) + "\n"
    }

    #[test]
    fn a_template_counts_from_its_time_on_and_as_it_was_first_before_that() {
        let script = read(&[own("mine", 0, "First"), own("mine", 2000, "Second")].concat()).unwrap();
        assert_eq!(script.templates.values().map(|template| template.title.as_str()).collect::<Vec<_>>(), ["First"]);
        let title = |(at, deed): &(MediaTime, Deed)| match deed {
            Deed::Template(_, template) => (at.as_millis(), template.title.clone()),
            other => panic!("{other:?}"),
        };
        assert_eq!(script.deeds.iter().map(title).collect::<Vec<_>>(), [(0, "First".to_owned()), (2000, "Second".to_owned())]);
    }

    #[test]
    fn there_are_only_so_many_templates() {
        let many = |count: usize| (0..count).map(|n| own(&format!("t{n}"), 0, "")).collect::<String>();
        assert!(read(&many(MOST_TEMPLATES + 1)).unwrap_err().contains("line 10001: is one template too many"));
    }

    #[test]
    fn a_last_line_that_is_cut_off_is_left_out() {
        let cut = format!("{CALL}{}", r#"{"at_ms": 3000, "event": "le"#);
        assert_eq!(read(&cut).unwrap().deeds.len(), 6);
        assert_eq!(read(CALL.trim_end()).unwrap().deeds.len(), 6, "a last line without its end counts where it is whole");
    }

    #[test]
    fn a_line_that_cannot_be_is_refused_by_its_number_and_with_the_rule() {
        let refused = [
            ("{\n", "line 1: EOF"),
            ("\n{\"at_ms\": 1, \"event\": \"left\"}\n", "line 2: names nobody"),
            ("{\"event\": \"left\", \"participant\": \"Ada\"}\n", "line 1: participant \"Ada\" is no id"),
            ("{\"event\": \"layout\", \"detail\": {\"tmplate\": \"grid\"}}\n", "line 1: is no layout: unknown field `tmplate`"),
            ("{\"event\": \"template\", \"detail\": {\"name\": \"a\"}}\n", "line 1: is no template: missing field `template`"),
            (
                "{\"event\": \"template\", \"detail\": {\"name\": \"a b\", \"template\": {\"arrangements\": []}}}\n",
                "line 1: is no template: \"a b\" is no name",
            ),
            (
                "{\"event\": \"template\", \"detail\": {\"name\": \"a\", \"template\": {\"arrangements\": []}}}\n",
                "line 1: the template a cannot be used: arrangements: has 0",
            ),
            ("{\"event\": \"joined\", \"participant\": \"p1\", \"gain_db\": \"loud\"}\n", "line 1: invalid type"),
            ("{\"at_ms\": 20000000000000, \"event\": \"speaker\"}\n", "line 1: at_ms: 20000000000000 is more than a week"),
            ("{\"at_ms\": -5, \"event\": \"left\", \"participant\": \"p1\"}\n", "line 1: invalid value"),
        ];
        for (text, said) in refused {
            let refusal = read(text).unwrap_err();
            assert!(refusal.contains(said), "{text}: {refusal}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_stands_in_a_file_is_read_or_refused(text in "(\\{\"(at_ms|event|participant|detail)\": ?([0-9]{1,30}|\"[a-z0-9]{0,9}\"|\\{\\})\\}?\n?){0,4}") {
            let _ = read(&text);
        }
    }
}
