// Paints a picture through an 8-bit coverage mask, both of the rectangle's size in luma pixels (logos, backdrops).
//
// In: `source`, the picture as in picture.wgsl and behind it the mask, row by row, 255 is opaque. Out: see step.wgsl.

fn cover(pixel: vec2<f32>) -> f32 {
    return mask_cover(pixel, step.source.w) * edge_cover(edge_distance(pixel, step.shape.z));
}

fn paint(at: vec2<i32>, plane: u32) -> u32 {
    return copied(at, plane, vec2(0));
}
