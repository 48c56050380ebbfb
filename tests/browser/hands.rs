//! What people do with their hands: mouse, keys and the window's size, as the browser gets them from its system.

use chromiumoxide::cdp::browser_protocol::emulation::{MediaFeature, SetDeviceMetricsOverrideParams, SetEmulatedMediaParams};
use chromiumoxide::cdp::browser_protocol::input::{
    DispatchKeyEventParams, DispatchKeyEventType, DispatchMouseEventParams, DispatchMouseEventType, MouseButton,
};

use crate::chromium::Tab;

/// A key with its code and number, and the modifiers held with it.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    name: &'static str,
    code: &'static str,
    number: i64,
    held: i64,
}

/// As the DevTools protocol counts modifiers.
const CTRL: i64 = 2;
const SHIFT: i64 = 8;

impl Key {
    pub(crate) const TAB: Self = Self::plain("Tab", "Tab", 9);
    pub(crate) const ENTER: Self = Self::plain("Enter", "Enter", 13);
    pub(crate) const LEFT: Self = Self::plain("ArrowLeft", "ArrowLeft", 37);
    pub(crate) const RIGHT: Self = Self::plain("ArrowRight", "ArrowRight", 39);
    pub(crate) const PLUS: Self = Self::plain("+", "Equal", 187);
    pub(crate) const Z: Self = Self::plain("z", "KeyZ", 90);

    const fn plain(name: &'static str, code: &'static str, number: i64) -> Self {
        Self { name, code, number, held: 0 }
    }

    pub(crate) const fn with_shift(self) -> Self {
        Self { held: self.held | SHIFT, ..self }
    }

    pub(crate) const fn with_ctrl(self) -> Self {
        Self { held: self.held | CTRL, ..self }
    }

    /// What it types, where it types anything.
    fn text(self) -> Option<&'static str> {
        match self.name {
            "Enter" => Some("\r"),
            text if text.len() == 1 && self.held == 0 => Some(text),
            _ => None,
        }
    }

    fn event(self, kind: DispatchKeyEventType) -> DispatchKeyEventParams {
        let mut event = DispatchKeyEventParams::new(kind);
        event.key = Some(self.name.into());
        event.code = Some(self.code.into());
        event.windows_virtual_key_code = Some(self.number);
        event.modifiers = Some(self.held);
        event
    }
}

/// A place in the window, in pixels.
pub(crate) type Point = (f64, f64);

impl Tab {
    /// The window's size.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        self.page.execute(SetDeviceMetricsOverrideParams::new(width, height, 1.0, false)).await.unwrap();
    }

    /// The scheme of colours that its system prefers.
    pub(crate) async fn prefer_light(&self, light: bool) {
        let scheme = MediaFeature::new("prefers-color-scheme", if light { "light" } else { "dark" });
        self.page.execute(SetEmulatedMediaParams::builder().feature(scheme).build()).await.unwrap();
    }

    pub(crate) async fn strike(&self, key: Key) {
        let mut down = key.event(DispatchKeyEventType::KeyDown);
        down.text = key.text().map(Into::into);
        self.page.execute(down).await.unwrap();
        self.page.execute(key.event(DispatchKeyEventType::KeyUp)).await.unwrap();
    }

    /// Strikes Tab until the focus is on what the selector names.
    pub(crate) async fn tab_to(&self, selector: &str) {
        for _ in 0..200 {
            if self.eval::<bool>(format!("document.activeElement.matches({selector:?})")).await {
                return;
            }
            self.strike(Key::TAB).await;
        }
        panic!("no Tab leads to {selector}");
    }

    pub(crate) async fn click(&self, at: Point) {
        self.drag(at, at).await;
    }

    pub(crate) async fn drag(&self, from: Point, to: Point) {
        let halfway = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
        self.mouse(DispatchMouseEventType::MousePressed, from, 1).await;
        self.mouse(DispatchMouseEventType::MouseMoved, halfway, 1).await;
        self.mouse(DispatchMouseEventType::MouseMoved, to, 1).await;
        self.mouse(DispatchMouseEventType::MouseReleased, to, 0).await;
    }

    async fn mouse(&self, kind: DispatchMouseEventType, (x, y): Point, buttons: i64) {
        let mut event = DispatchMouseEventParams::new(kind, x, y);
        event.button = Some(MouseButton::Left);
        event.buttons = Some(buttons);
        event.click_count = Some(1);
        self.page.execute(event).await.unwrap();
    }

    /// Brings what the selector names into the window; gives its left, top, right and bottom edge.
    pub(crate) async fn edges(&self, selector: &str) -> [f64; 4] {
        let place = "const box = document.querySelector(SELECTOR); box.scrollIntoView({ block: 'center', behavior: 'instant' }); \
                     const { left, top, right, bottom } = box.getBoundingClientRect(); return [left, top, right, bottom]";
        self.eval(format!("{{ {} }}", place.replace("SELECTOR", &format!("{selector:?}")))).await
    }

    /// The middle of what the selector names.
    pub(crate) async fn middle(&self, selector: &str) -> Point {
        let [left, top, right, bottom] = self.edges(selector).await;
        ((left + right) / 2.0, (top + bottom) / 2.0)
    }
}
