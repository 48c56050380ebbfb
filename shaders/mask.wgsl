// Paints one colour through an 8-bit coverage mask of the rectangle's size in luma pixels (text, marks).
//
// In: `step.paint` as in fill.wgsl; `source`, the mask, row by row, 255 is opaque. Out: see step.wgsl.

fn cover(pixel: vec2<f32>) -> f32 {
    return mask_cover(pixel, 0u) * edge_cover(edge_distance(pixel, step.shape.z));
}

fn paint(at: vec2<i32>, plane: u32) -> u32 {
    return packed(vec4(step.paint[plane]));
}
