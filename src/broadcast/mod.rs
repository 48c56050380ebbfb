//! What goes to many, and to devices without WebRTC: HLS, MJPEG, Ogg.

pub mod hls;
