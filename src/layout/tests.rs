//! What every layout promises, on random ones and on the stock templates.

use proptest::prelude::*;

use super::*;
use crate::media::{Canvas, Rect};

/// Rectangles lie inside the area, touch no other, and have even coordinates.
pub(super) fn assert_well_placed(area: Rect, rects: &[Rect]) {
    for (n, rect) in rects.iter().enumerate() {
        assert_inside(area, *rect);
        assert!(rects[..n].iter().all(|other| apart(rect, other)), "{rect:?} overlaps in {rects:?}");
    }
}

pub(super) fn assert_inside(area: Rect, rect: Rect) {
    let Rect { x, y, width, height } = rect;
    assert!(area.x <= x && x + width <= area.x + area.width, "{rect:?} leaves {area:?}");
    assert!(area.y <= y && y + height <= area.y + area.height, "{rect:?} leaves {area:?}");
    assert!([x, y, width, height].iter().all(|side| side % 2 == 0), "{rect:?} is odd");
    assert!(width >= 2 && height >= 2, "{rect:?} shows nothing");
}

fn apart(a: &Rect, b: &Rect) -> bool {
    a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y
}

fn layout(json: &str) -> Layout {
    let spec: LayoutSpec = serde_json::from_str(json).unwrap();
    spec.resolve(|name| stock().get(name).cloned()).unwrap()
}

fn of_template(name: &str) -> Layout {
    layout(&format!(r#"{{"template": "{name}"}}"#))
}

fn rects(places: &[Place]) -> Vec<Rect> {
    places.iter().map(|place| place.rect).collect()
}

/// Landscape, portrait and square canvases, and the smallest.
const CANVASES: [(u32, u32); 6] = [(1280, 720), (720, 1280), (720, 720), (1920, 1080), (640, 480), (128, 128)];

#[test]
fn quarters_of_a_canvas_are_quarters_to_the_pixel_where_no_gap_is_asked_for() {
    let json = r#"{"regions": [{"id": "a", "left": "0", "top": "0", "width": "3/4", "height": "1"},
        {"id": "b", "left": "3/4", "top": "0", "width": "1/4", "height": "1/3"}]}"#;
    let expected = [Rect { x: 0, y: 0, width: 960, height: 720 }, Rect { x: 960, y: 0, width: 320, height: 240 }];
    assert_eq!(rects(&layout(json).places(1280, 720, 2)), expected);
}

#[test]
fn a_gap_is_the_same_between_all_neighbours_and_round_the_outside() {
    for (gap, expected) in [(8, 8), (10, 10), (5, 6), (64, 64)] {
        let places = layout(&format!(r#"{{"template": "one-plus-five", "gap": {gap}}}"#)).places(1280, 720, 6);
        let (stage, right, below) = (places[0].rect, places[1].rect, places[3].rect);
        assert_eq!((stage.x, stage.y), (expected, expected), "gap {gap}");
        assert_eq!(right.x - (stage.x + stage.width), expected, "gap {gap}");
        assert_eq!(below.y - (stage.y + stage.height), expected, "gap {gap}");
        assert_eq!(1280 - (right.x + right.width), expected, "gap {gap}");
    }
}

#[test]
fn one_person_alone_fills_the_canvas() {
    for name in stock().keys() {
        for (width, height) in CANVASES {
            let places = of_template(name.as_str()).places(width, height, 1);
            assert_eq!(rects(&places), [Layout::whole(width, height)], "{name} on {width}x{height}");
            assert_eq!(places[0].corner_radius, 0);
        }
    }
}

#[test]
fn stock_templates_overlap_nowhere_but_for_the_picture_in_picture() {
    for name in stock().keys().filter(|name| name.as_str() != "pip") {
        for (width, height) in CANVASES {
            for people in 1..=40 {
                assert_well_placed(Layout::whole(width, height), &rects(&of_template(name.as_str()).places(width, height, people)));
            }
        }
    }
}

#[test]
fn stock_templates_have_a_place_for_everybody_up_to_their_capacity_and_none_too_many() {
    let capacities =
        [("spotlight", 1), ("pip", 4), ("one-plus-five", 6), ("strip", 8), ("one-plus-seven", 8), ("two-plus-eight", 10), ("grid", 25)];
    for (name, capacity) in capacities {
        for people in 1..=40 {
            assert_eq!(of_template(name).places(1280, 720, people).len(), people.min(capacity), "{name} for {people}");
        }
    }
    assert_eq!(of_template("speaker").places(1280, 720, 30).len(), 6);
    assert_eq!(of_template("speaker").places(720, 1280, 30).len(), 7);
}

#[test]
fn the_classics_have_their_stage_and_small_tiles_of_one_size() {
    for (name, people, stage) in [("one-plus-five", 6, 2.0 / 3.0), ("one-plus-seven", 8, 0.75), ("two-plus-eight", 10, 0.5)] {
        let places = of_template(name).places(1280, 720, people);
        let whole = f64::from(places[0].rect.width) / 1280.0;
        assert!((whole - stage).abs() < 0.02, "{name}: {whole}");
        let small: Vec<_> = places.iter().map(|place| place.rect).filter(|rect| rect.width < 500).collect();
        let differ = |side: fn(&Rect) -> u32| small.iter().map(side).max().unwrap() - small.iter().map(side).min().unwrap();
        assert!(differ(|rect| rect.width) <= 2 && differ(|rect| rect.height) <= 2, "{name}: {small:?}");
    }
}

#[test]
fn places_are_filled_in_the_order_of_their_regions_and_grids_share_who_is_left() {
    let region = |id: &str, left: &str, tiles: u32| {
        format!(r#"{{"id": "{id}", "left": "{left}", "top": 0, "width": "1/3", "height": 1, "tiles": {tiles}}}"#)
    };
    let json = format!(r#"{{"regions": [{}, {}, {}]}}"#, region("left", "0", 3), region("stage", "1/3", 1), region("right", "2/3", 4));
    let ids = |people: usize, empty: usize| {
        let places = layout(&json).places_beside(1280, 720, people, empty);
        places.iter().map(|place| place.region.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids(1, 0), "stage");
    assert_eq!(ids(3, 0), "left left stage");
    assert_eq!(ids(6, 0), "left left left stage right right");
    assert_eq!(ids(3, 1), "left left left stage");
    assert_eq!(ids(usize::MAX, usize::MAX), "left left left stage right right right right");
}

#[test]
fn never_more_places_than_tiles_are_asked_for() {
    for (template, people) in [("grid", 16), ("two-plus-eight", 16), ("speaker", 5)] {
        let json = format!(r#"{{"template": "{template}", "max_tiles": 3}}"#);
        assert_eq!(layout(&json).places(1280, 720, people).len(), 3, "{template}");
    }
}

#[test]
fn a_place_looks_as_its_region_or_else_its_layout_says() {
    let json = r##"{"fit": "contain", "gap": 8, "regions": [
        {"id": "a", "left": 0, "top": 0, "width": 0.5, "height": 1},
        {"id": "b", "left": 0.5, "top": 0, "width": 0.5, "height": 1, "fit": "cover", "z": -3, "opacity": 0.5, "corner_radius": 3,
         "border": {"width": 3, "color": "#010203"}}]}"##;
    let places = layout(json).places(1280, 720, 2);
    assert_eq!((places[0].fit, places[0].corner_radius, places[0].border), (crate::media::Fit::Contain, 10, None));
    assert_eq!((places[1].fit, places[1].z, places[1].opacity, places[1].corner_radius), (crate::media::Fit::Cover, -3, 0.5, 3));
    let border = crate::media::Border { width: 4, color: crate::media::Rgb(1, 2, 3), opacity: 1.0 };
    assert_eq!(places[1].border, Some(border));
}

#[test]
fn covered_area_counts_once() {
    let canvas = Canvas { width: 1280, height: 720, ..Canvas::default() };
    let covered = |json: &str, people| usage(&layout(json).places(1280, 720, people), canvas);
    assert_eq!(covered(r#"{"template": "pip"}"#, 4), 1.0);
    assert_eq!(covered(r#"{"template": "grid", "gap": 0}"#, 3), 0.75);
    let band =
        r#"{"id": "a", "left": 0, "top": 0.25, "width": 1, "height": 0.5}, {"id": "b", "left": 0.25, "top": 0, "width": 0.5, "height": 1}"#;
    assert_eq!(covered(&format!(r#"{{"regions": [{band}]}}"#), 2), 0.75);
    assert_eq!(usage(&[], canvas), 0.0);
}

#[test]
fn what_is_read_is_what_the_api_s_document_allows() {
    fn agree<T: serde::de::DeserializeOwned + utoipa::PartialSchema>(right: &[&str], wrong: &[&str]) {
        let schema = jsonschema::validator_for(&serde_json::to_value(T::schema()).unwrap()).unwrap();
        for (json, expected) in right.iter().map(|json| (json, true)).chain(wrong.iter().map(|json| (json, false))) {
            assert_eq!(serde_json::from_str::<T>(json).is_ok(), expected, "{json}");
            assert_eq!(schema.is_valid(&serde_json::from_str(json).unwrap()), expected, "{json} by the document");
        }
    }
    let ratios = [r#""1/3""#, r#""0""#, r#""1""#, r#""0.25""#, r#""1.0""#, r#""007/0009""#, "0", "1", "0.5"];
    agree::<Fraction>(&ratios, &[r#""""#, r#""01""#, r#"".5""#, r#""-1/3""#, r#""1/3/3""#, "1.5", "-0.5", "true", "null"]);
    agree::<People>(&["3", r#""3""#, r#""2-6""#, r#""7+""#, "1000"], &["0", "1001", "2.5", r#""03""#, r#""1001+""#, r#""3-""#, "[]"]);
    agree::<ShowsList>(
        &[r#""any""#, r#""screen|pinned|speaker""#, r#""participant:p3|role:co-host""#],
        &[r#""""#, r#""any|""#, r#""Any""#, r#""participant:p03""#, r#""role:""#, r#""any|any|any|any|any|any|any|any|any""#, "1"],
    );
    agree::<HexColor>(&[r##""#14171c""##, r##""#ABCDEF""##], &[r#""14171c""#, r##""#14171""##, r#""red""#, "0"]);
}

/// A part of the canvas and a part of what is left beside it.
fn spans() -> impl Strategy<Value = (String, String)> {
    (1..1000u32, 0..1_000_000u32, 0..1_000_000u32).prop_map(|(denominator, from, part)| {
        let from = from % denominator;
        let part = part % (denominator - from) + 1;
        (format!("{from}/{denominator}"), format!("{part}/{denominator}"))
    })
}

fn regions() -> impl Strategy<Value = serde_json::Value> {
    let tiles = prop_oneof![2 => Just(1u32), 1 => 1..100u32];
    let region = (spans(), spans(), tiles, -100..=100i32, 0..=1000u32).prop_map(|((left, width), (top, height), tiles, z, opacity)| {
        serde_json::json!({"left": left, "width": width, "top": top, "height": height, "tiles": tiles, "z": z,
            "opacity": f64::from(opacity) / 1000.0})
    });
    prop::collection::vec(region, 1..=12).prop_map(|regions| {
        let named = regions.into_iter().enumerate().map(|(n, mut region)| {
            region["id"] = format!("r{n}").into();
            region
        });
        named.collect()
    })
}

fn specs() -> impl Strategy<Value = LayoutSpec> {
    let names: Vec<String> = stock().keys().map(ToString::to_string).collect();
    let kind = prop_oneof![
        regions().prop_map(|regions| ("regions", regions)),
        prop::sample::select(names).prop_map(|name| ("template", name.into()))
    ];
    let aspect = prop::sample::select(vec!["16:9", "4:3", "1:1", "3:4", "9:16"]);
    (kind, prop::option::of(0..=64u32), aspect, 1..=100u32).prop_map(|((field, value), gap, aspect, max_tiles)| {
        let mut json = serde_json::json!({"aspect": aspect, "max_tiles": max_tiles, "gap": gap});
        json[field] = value;
        serde_json::from_value(json).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn random_layouts_give_places_inside_the_canvas_on_even_pixels(
        spec in specs(), width in 64..=1920u32, height in 64..=1080u32, people in 0..=40usize, empty in 0..4usize,
    ) {
        let layout = spec.resolve(|name| stock().get(name).cloned()).unwrap();
        let (width, height) = (2 * width, 2 * height);
        let places = layout.places_beside(width, height, people, empty);
        prop_assert!(!places.is_empty() && places.len() <= layout.spec().max_tiles.get() as usize);
        places.iter().for_each(|place| assert_inside(Layout::whole(width, height), place.rect));
        let covered = usage(&places, Canvas { width, height, ..Canvas::default() });
        prop_assert!(covered > 0.0 && covered <= 1.0);
        prop_assert_eq!(places, layout.places_beside(width, height, people, empty));
    }
}
