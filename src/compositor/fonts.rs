//! Fonts: the embedded one, an operator's folder's and the system's; lines of text become coverage masks.
//!
//! In: a text of any script, a size and a width; out: a [`Mask`], shaped, in reading order, with an ellipsis where it is
//! too long. Masks are kept (the least recently used goes first), so a label costs its shaping once.
//! Never: a panic or a line break, whatever the text says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cosmic_text::fontdb::{Database, Source};
use cosmic_text::{FontSystem, SwashCache};
use parking_lot::Mutex;

use super::marks;
use super::plan::Mask;
use super::typeset::Typesetter;

/// The masks kept at most; a full room of nine needs about thirty.
const MASKS: usize = 512;
/// Characters of a text that are looked at: the longest subtitle of a lower third.
const CHARACTERS: usize = 120;
/// Widths at which a text is shortened are rounded down to this, so that a tile that glides does not shape its name at each tick.
const WIDTH_STEP: u32 = 8;

/// The fonts of a process and the masks made with them; shared by all rooms.
pub struct Fonts {
    typesetter: Mutex<Typesetter>,
    masks: Mutex<Masks>,
}

impl Fonts {
    /// The embedded font first, then those of `folder`, then the system's. Reads the system's font files: call it once, at start.
    pub fn new(folder: Option<&Path>) -> Arc<Self> {
        let mut fonts = embedded();
        if let Some(folder) = folder {
            fonts.load_fonts_dir(folder);
        }
        fonts.load_system_fonts();
        tracing::info!(faces = fonts.len(), "fonts loaded");
        let fonts = Self::with(fonts, &locale());
        fonts.warm();
        fonts
    }

    /// The embedded font alone: the same pixels on every machine.
    pub fn embedded() -> Arc<Self> {
        Self::with(embedded(), "en")
    }

    fn with(mut fonts: Database, locale: &str) -> Arc<Self> {
        fonts.set_sans_serif_family(FAMILY);
        let system = FontSystem::new_with_locale_and_db(locale.to_owned(), fonts);
        Arc::new(Self { typesetter: Mutex::new(Typesetter::new(system, SwashCache::new())), masks: Mutex::default() })
    }

    /// Shapes a line that calls on the fonts of many scripts, because opening one takes milliseconds that no tick should pay.
    fn warm(&self) {
        let _ = self.typesetter.lock().line("Aя Ωא عह ไ 漢字 かな 한국 🙂", 16, u32::MAX);
    }

    /// One line of `text`, at most `limit` pixels wide, its ends trimmed; `None` where nothing of it can be seen.
    pub(super) fn line(&self, text: &str, size: u32, limit: u32) -> Option<Arc<Mask>> {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(CHARACTERS).collect();
        let text = text.trim();
        let whole = self.mask(Key::Text { text: text.into(), size, limit: u32::MAX })?;
        if whole.width <= limit {
            return Some(whole);
        }
        self.mask(Key::Text { text: text.into(), size, limit: limit / WIDTH_STEP * WIDTH_STEP })
    }

    /// The mute mark, `size` pixels a side (even).
    pub(super) fn muted(&self, size: u32) -> Arc<Mask> {
        self.mask(Key::Muted { size }).expect("a mark of a size above 0 can be seen")
    }

    /// The mark of a picture that stands still, `size` pixels a side (even).
    pub(super) fn stalled(&self, size: u32) -> Arc<Mask> {
        self.mask(Key::Stalled { size }).expect("a mark of a size above 0 can be seen")
    }

    /// The typesetter is locked apart from the masks: a room whose labels are known never waits for another's new one.
    fn mask(&self, key: Key) -> Option<Arc<Mask>> {
        if let Some(known) = self.masks.lock().get(&key) {
            return known;
        }
        let made = match &key {
            Key::Text { text, size, limit } => self.typesetter.lock().line(text, *size, *limit),
            Key::Muted { size } => Some(marks::muted(*size)),
            Key::Stalled { size } => Some(marks::stalled(*size)),
        };
        self.masks.lock().put(key, made.clone());
        made
    }
}

impl std::fmt::Debug for Fonts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fonts")
    }
}

/// The embedded family's name.
pub(super) const FAMILY: &str = "DejaVu Sans";

fn embedded() -> Database {
    let mut fonts = Database::new();
    fonts.load_font_source(Source::Binary(Arc::new(dejavu::sans::regular())));
    fonts
}

/// The language whose forms of shared Han characters are shown: that of the environment.
fn locale() -> String {
    let language = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let language = language.unwrap_or_default().split('.').next().unwrap_or_default().replace('_', "-");
    match language.split('-').next() {
        Some(bare @ ("ja" | "ko")) => bare.to_owned(),
        _ => language,
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Text { text: Box<str>, size: u32, limit: u32 },
    Muted { size: u32 },
    Stalled { size: u32 },
}

/// Masks by what they show, the least recently used dropped first.
#[derive(Default)]
struct Masks {
    kept: BTreeMap<Key, (Option<Arc<Mask>>, u64)>,
    uses: u64,
}

impl Masks {
    fn get(&mut self, key: &Key) -> Option<Option<Arc<Mask>>> {
        self.uses += 1;
        let (mask, used) = self.kept.get_mut(key)?;
        *used = self.uses;
        Some(mask.clone())
    }

    fn put(&mut self, key: Key, mask: Option<Arc<Mask>>) {
        self.uses += 1;
        self.kept.insert(key, (mask, self.uses));
        if self.kept.len() > MASKS {
            let oldest = self.kept.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone());
            self.kept.remove(&oldest.expect("there are more masks than the limit"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_shaped_once_and_kept() {
        let fonts = Fonts::embedded();
        let first = fonts.line("Ada Lovelace", 16, 400).unwrap();
        assert!(Arc::ptr_eq(&first, &fonts.line(" Ada Lovelace\n", 16, 300).unwrap()));
    }

    #[test]
    fn a_long_text_ends_in_an_ellipsis_inside_its_limit() {
        let fonts = Fonts::embedded();
        let name = "Wolfeschlegelsteinhausenbergerdorff the Elder";
        let whole = fonts.line(name, 16, 1000).unwrap();
        let short = fonts.line(name, 16, 121).unwrap();
        assert!(whole.width > 300 && (90..=120).contains(&short.width), "{} and {}", whole.width, short.width);
    }

    #[test]
    fn a_text_with_nothing_to_see_has_no_mask() {
        let fonts = Fonts::embedded();
        for nothing in ["", "   ", "\u{200b}", "\u{202e}", "\n\t"] {
            assert!(fonts.line(nothing, 16, 100).is_none(), "{nothing:?}");
        }
    }

    #[test]
    fn the_masks_kept_are_bounded() {
        let mut masks = Masks::default();
        for size in 0..MASKS as u32 + 10 {
            masks.put(Key::Muted { size }, None);
            masks.get(&Key::Muted { size: 0 });
        }
        assert_eq!(masks.kept.len(), MASKS);
        assert!(masks.get(&Key::Muted { size: 0 }).is_some(), "what is used stays");
        assert!(masks.get(&Key::Muted { size: 1 }).is_none(), "what is not used goes");
    }

    proptest! {
        #[test]
        fn no_text_of_any_script_panics_or_outgrows_its_limit(text in "\\PC{0,40}", size in 8u32..40, limit in 1u32..300) {
            if let Some(mask) = Fonts::embedded().line(&text, size, limit) {
                prop_assert!(mask.width <= limit.next_multiple_of(2));
                prop_assert!(mask.coverage.iter().any(|&c| c > 0));
            }
        }
    }
}
