//! stub
/// stub
#[derive(Debug)]
pub struct AudioIntake {}
