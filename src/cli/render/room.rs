//! The room that a call is made again in: as it was, but for what the command line says otherwise.
//!
//! In: a recording's settings, templates and images, arguments. Out: settings that cannot be wrong, or the argument and the rule.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;

use super::images::Images;
use crate::layout::LayoutSpec;
use crate::media::{Canvas, NameError, ShortName, Within};
use crate::render::Templates;
use crate::room::RoomSettings;
use crate::rooms::spec::RoomSpec;

/// Bits for each pixel in a million: 2.5 Mb/s for 720p30.
const BITS_A_MEGAPIXEL: u64 = 90_422;
const LEAST_BPS: u64 = 100_000;
const MOST_BPS: u64 = 20_000_000;

/// What is to be otherwise than it was.
#[derive(Args, Debug)]
pub(super) struct RoomArgs {
    /// A stock layout, one that the recording has, or a file with a layout as PUT …/layout takes it; in place of how a recording was arranged
    #[arg(long, value_name = "NAME|FILE.json")]
    layout: Option<String>,
    /// The canvas, in pixels, both sides even: 128 to 3840 wide, 128 to 2160 high; without it as when the recording began, or 1280x720
    #[arg(long, value_name = "WxH", value_parser = size)]
    canvas: Option<(Within<128, 3840>, Within<128, 2160>)>,
    /// Pictures a second, 5 to 60; without it as when the recording began, or 30
    #[arg(long, value_parser = fps)]
    fps: Option<Within<5, 60>>,
    /// An image that the recorded room showed under this name (its background, its logo): PNG or JPEG; may be given several times.
    /// Images are not in a recording: without it, they are left out
    #[arg(long = "image", value_name = "NAME=FILE", value_parser = image)]
    images: Vec<(ShortName, PathBuf)>,
}

impl RoomArgs {
    /// Whether it is to be arranged otherwise.
    pub(super) fn has_layout(&self) -> bool {
        self.layout.is_some()
    }

    /// Where the images are.
    pub(super) fn image_files(&self) -> impl Iterator<Item = &PathBuf> {
        self.images.iter().map(|(_, path)| path)
    }

    /// The images, read and decoded.
    ///
    /// # Errors
    /// Where one cannot be.
    pub(super) fn read_images(&self) -> anyhow::Result<Images> {
        Images::read(&self.images)
    }

    /// The room; `recorded` are the settings that a recording has, `templates` its own. What it shows and `images` has not is left out.
    ///
    /// # Errors
    /// Where a layout cannot be read or breaks a rule, or the recorded settings do.
    pub(super) fn settings(
        &self,
        recorded: Option<&serde_json::Value>,
        templates: &Templates,
        images: &mut Images,
    ) -> anyhow::Result<RoomSettings> {
        let mut spec = recorded.map(recorded_spec).transpose()?.unwrap_or_default();
        for name in images.leave_out_missing(&mut spec) {
            eprintln!("medley: the image {name} is not in the recording and is left out; give it with --image {name}=FILE");
        }
        if let Some((width, height)) = self.canvas {
            (spec.canvas.width, spec.canvas.height) = (width, height);
        }
        spec.canvas.fps = self.fps.unwrap_or(spec.canvas.fps);
        if let Some(layout) = &self.layout {
            spec.layout = read_layout(layout)?;
        }
        let hint = if self.has_layout() { "--layout" } else { "the recording's settings (choose a layout with --layout)" };
        spec.resolve(&images.library(templates)).map_err(|error| anyhow!("{hint}: {error}"))
    }
}

/// The main view alone is filmed.
fn recorded_spec(settings: &serde_json::Value) -> anyhow::Result<RoomSpec> {
    let mut spec: RoomSpec = serde_path_to_error::deserialize(settings).context("the recording's settings")?;
    spec.views.clear();
    Ok(spec)
}

fn read_layout(layout: &str) -> anyhow::Result<LayoutSpec> {
    if !layout.ends_with(".json") {
        let name: ShortName = layout.parse().context("--layout")?;
        return Ok(LayoutSpec::template(name));
    }
    let text = std::fs::read(Path::new(layout)).with_context(|| format!("--layout: {layout}"))?;
    let read = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(&text));
    read.with_context(|| format!("--layout: {layout}"))
}

/// Enough for what is as large and as fast.
pub(super) fn usual_bitrate(canvas: Canvas) -> u32 {
    let pixels = u64::from(canvas.width) * u64::from(canvas.height) * u64::from(canvas.fps);
    (pixels * BITS_A_MEGAPIXEL / 1_000_000).clamp(LEAST_BPS, MOST_BPS) as u32
}

fn size(text: &str) -> Result<(Within<128, 3840>, Within<128, 2160>), String> {
    let (width, height) = text.split_once('x').ok_or("send width and height, such as 1280x720")?;
    Ok((side(width)?, side(height)?))
}

fn side<const MIN: u32, const MAX: u32>(text: &str) -> Result<Within<MIN, MAX>, String> {
    let length = within::<MIN, MAX>(text)?;
    if length.get().is_multiple_of(2) { Ok(length) } else { Err(format!("{text} is odd; send {}", length.get() + 1)) }
}

fn image(text: &str) -> Result<(ShortName, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("send a name and a file, such as logo=logo.png")?;
    let name = name.parse().map_err(|error: NameError| error.to_string())?;
    Ok((name, file.into()))
}

fn fps(text: &str) -> Result<Within<5, 60>, String> {
    within(text)
}

fn within<const MIN: u32, const MAX: u32>(text: &str) -> Result<Within<MIN, MAX>, String> {
    let number: u64 = text.parse().map_err(|_| format!("{text:?} is no whole number"))?;
    Within::try_from(number).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Template, stock};

    fn args() -> RoomArgs {
        RoomArgs { layout: None, canvas: None, fps: None, images: vec![] }
    }

    fn settings(args: &RoomArgs, recorded: Option<&serde_json::Value>) -> anyhow::Result<RoomSettings> {
        args.settings(recorded, &Templates::new(), &mut Images::default())
    }

    fn main_view(settings: &RoomSettings) -> (Canvas, String) {
        let view = &settings.views[&ShortName::main()];
        (view.canvas, view.layout.spec().template.as_ref().unwrap().to_string())
    }

    #[test]
    fn a_recordings_room_is_as_it_was_but_for_what_is_said_otherwise() {
        let recorded = serde_json::json!({
            "canvas": {"width": 640, "height": 360, "fps": 25},
            "layout": {"template": "speaker"},
            "views": {"stage": {"layout": {"template": "of-an-admin"}}},
            "overlays": {"logo": {"image": "logo"}},
        });
        let (canvas, layout) = main_view(&settings(&args(), Some(&recorded)).unwrap());
        assert_eq!((canvas.width, canvas.height, canvas.fps, layout.as_str()), (640, 360, 25, "speaker"));
        let canvas = Some(size("320x240").unwrap());
        let otherwise = RoomArgs { layout: Some("grid".into()), canvas, fps: Some(fps("12").unwrap()), ..args() };
        let (canvas, layout) = main_view(&settings(&otherwise, Some(&recorded)).unwrap());
        assert_eq!((canvas.width, canvas.height, canvas.fps, layout.as_str()), (320, 240, 12, "grid"));
        let (canvas, layout) = main_view(&settings(&args(), None).unwrap());
        assert_eq!((canvas, layout.as_str()), (Canvas::default(), "grid"));
    }

    #[test]
    fn a_recordings_own_template_is_used_also_where_one_of_that_name_has_come_with_the_server_since() {
        let template = std::sync::Arc::new(Template::clone(&stock()[&"spotlight".parse().unwrap()]));
        for name in ["of-an-admin", "grid"] {
            let templates = Templates::from([(name.parse().unwrap(), template.clone())]);
            let recorded = serde_json::json!({"layout": {"template": name}});
            let room = args().settings(Some(&recorded), &templates, &mut Images::default()).unwrap();
            assert_eq!(room.views[&ShortName::main()].layout.template(), &template, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_rule() {
        let refused = |text: &str| size(text).unwrap_err();
        assert!(refused("1280").contains("such as 1280x720") && refused("1281x720").contains("send 1282"));
        assert!(
            refused("127x720").contains("128 to 3840") && refused("1280x9999").contains("128 to 2160") && refused("axb").contains("\"a\"")
        );
        assert!(fps("61").unwrap_err().contains("5 to 60"));
        let layout = |layout: &str| format!("{:#}", settings(&RoomArgs { layout: Some(layout.into()), ..args() }, None).unwrap_err());
        assert!(layout("gird").contains("there is no template \"gird\"") && layout("a b").contains("is no name"));
        assert!(layout("/nowhere/x.json").contains("/nowhere/x.json"));
        let unknown = serde_json::json!({"layout": {"template": "of-an-admin"}});
        let refusal = format!("{:#}", settings(&args(), Some(&unknown)).unwrap_err());
        assert!(refusal.contains("of-an-admin") && refusal.contains("--layout"), "{refusal}");
        let slow = serde_json::json!({"canvas": {"fps": 1}});
        assert!(format!("{:#}", settings(&args(), Some(&slow)).unwrap_err()).contains("canvas.fps"));
        assert!(image("logo.png").unwrap_err().contains("such as logo=logo.png") && image("a b=x.png").unwrap_err().contains("is no name"));
    }

    #[test]
    fn bits_follow_the_pixels() {
        let of = |width, height, fps| usual_bitrate(Canvas { width, height, fps, ..Canvas::default() });
        assert_eq!(
            [of(1280, 720, 30) / 1000, of(640, 360, 30) / 1000, of(128, 128, 5), of(3840, 2160, 60)],
            [2499, 624, 100_000, 20_000_000]
        );
    }
}
