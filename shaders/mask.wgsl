// Paints one colour through an 8-bit coverage mask of the rectangle's size in luma pixels (text, marks).
//
// In: `step.paint` as in fill.wgsl; `source`, the mask, row by row, 255 is opaque. Out: see step.wgsl.

fn cover(pixel: vec2<f32>) -> f32 {
    let at = vec2<i32>(pixel) - step.rect.xy * scale();
    let inside = clamp(at, vec2(0), vec2<i32>(step.shape.xy) - 1);
    let byte = u32(inside.y) * step.source.y + u32(inside.x);
    let coverage = f32((source[byte >> 2u] >> ((byte & 3u) * 8u)) & 255u) / 255.0;
    return coverage * edge_cover(edge_distance(pixel, step.shape.z));
}

fn paint(at: vec2<i32>, plane: u32) -> u32 {
    return packed(vec4(step.paint[plane]));
}
