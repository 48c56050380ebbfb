// Paints one colour: the whole rectangle, or a line along its inner edge.
//
// In: `step.paint`, Y then nothing, or U then V, BT.601 limited range. Out: see step.wgsl. No source.

fn cover(pixel: vec2<f32>) -> f32 {
    let distance = edge_distance(pixel, step.shape.z);
    if step.shape.w == 0.0 {
        return edge_cover(distance);
    }
    return edge_cover(distance) - edge_cover(distance + step.shape.w);
}

fn paint(at: vec2<i32>, plane: u32) -> u32 {
    return packed(vec4(step.paint[plane]));
}
