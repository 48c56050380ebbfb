//! What a tile shows where there is no picture: a calm fill, a disc with the person's initials, and the name.
//!
//! In: a tile and a person; out: steps. Never: outside the tile.

use super::fonts::Fonts;
use super::label::{letter, text_size};
use super::palette::{PLACEHOLDER, PLACEHOLDER_TEXT, TEXT, disc, yuv};
use super::plan::Paint;
use super::planner::Tile;
use super::typeset::line_height;
use crate::media::{ParticipantId, Rect};

/// Below this shorter side a tile has room for the name only.
const DISC_FROM: u32 = 96;

/// Draws it; true where the name is shown.
pub(super) fn draw(tile: &mut Tile, id: ParticipantId, name: &str, fonts: &Fonts) -> bool {
    let Rect { x, y, width, height } = tile.rect;
    tile.step(tile.rect, tile.radius, Paint::Fill(yuv(PLACEHOLDER)));
    let shorter = width.min(height);
    let size = text_size(7.0 + shorter as f32 * 0.042);
    let (line, gap) = (line_height(size), size.next_multiple_of(2));
    let diameter = if shorter >= DISC_FROM { (shorter * 2 / 5).next_multiple_of(2) } else { 0 };
    let group = if diameter > 0 { diameter + gap + line } else { line };
    let Some(above) = height.checked_sub(group).map(|rest| rest / 4 * 2) else { return false };
    if diameter > 0 {
        let place = Rect { x: x + (width - diameter) / 4 * 2, y: y + above, width: diameter, height: diameter };
        initialled_disc(tile, place, id, name, fonts);
    }
    let room = width.saturating_sub(2 * size) / 2 * 2;
    let Some(mask) = fonts.line(name, size, room).filter(|mask| mask.width <= room) else { return false };
    let left = x + (width - mask.width) / 4 * 2;
    letter(tile, mask, left, y + above + group - line / 2, PLACEHOLDER_TEXT);
    true
}

fn initialled_disc(tile: &mut Tile, place: Rect, id: ParticipantId, name: &str, fonts: &Fonts) {
    tile.step(place, place.width as f32 / 2.0, Paint::Fill(yuv(disc(id))));
    let size = text_size(place.height as f32 * 0.38);
    if let Some(mask) = fonts.line(&initials(name), size, place.width).filter(|mask| mask.width <= place.width) {
        let left = place.x + (place.width - mask.width) / 4 * 2;
        letter(tile, mask, left, place.y + place.height / 2, TEXT);
    }
}

/// The first letters of the first and the last word; of one word, or of a script without capitals, one letter.
fn initials(name: &str) -> String {
    let mut letters = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let Some(first) = letters.next() else { return String::new() };
    let last = letters.next_back().filter(|last| cased(first) && cased(*last));
    std::iter::once(first).chain(last).flat_map(char::to_uppercase).collect()
}

fn cased(letter: char) -> bool {
    letter.is_uppercase() || letter.is_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_those_of_the_first_and_last_word() {
        let cases = [
            ("Ada Lovelace", "AL"),
            ("cher", "C"),
            ("Jean le Rond", "JR"),
            ("李 小龙", "李"),
            ("(bob)", "B"),
            ("🙂 !", ""),
            ("", ""),
            ("Guest 3", "G"),
        ];
        for (name, expected) in cases {
            assert_eq!(initials(name), expected, "{name:?}");
        }
    }
}
