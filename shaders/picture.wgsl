// Paints a part of a planar picture, scaled to the rectangle.
//
// In: `source`, I420, BT.601 limited range, planes tightly packed behind one unused word, 8 bits a sample. Out: see step.wgsl.
//
// A sample is the mean of what a box covers in the source plane. Where an axis shrinks to less than half, the box is
// the whole of what the sample covers (area-true); else it is one sample long about the middle of that, and the
// mean over it is the linear interpolation between the two nearest. Boxes stay inside the plane.

// how the source is read, in `step.source.w`
const COPY = 0u;   // one source sample for each, no fraction
const wAR = 1u; // both axes linear

fn is_shaped() -> bool {
    return step.shape.z > 0.0;
}

fn cover(pixel: vec2<f32>) -> f32 {
    return edge_cover(edge_distance(pixel, step.shape.z));
}

fn paint(at: vec2<i32>, plane: u32) -> vec4<f32> {
    let first = step.source.x + plane * step.source.z;
    switch step.source.w {
        case COPY: { return copied(at, first); }
        case wAR: { return interpolated(at, first); }
        default: { return averaged(at, first); }
    }
}

fn copied(at: vec2<i32>, first: u32) -> vec4<f32> {
    let pick = at - step.rect.xy + vec2<i32>(step.sampling.xy);
    // left of the rectangle `pick.x` is below 0: what lies before the row is read, and not painted
    return unpacked(eight_bytes(u32(i32(first) + pick.y * i32(step.source.y) + pick.x)).x);
}

// Left or top ends of the boxes of four positions along an axis of `length` source samples.
fn box_ends(position: vec4<f32>, low: f32, scale: f32, length: f32, reach: f32) -> vec4<f32> {
    return clamp((position + 0.5) * scale + low - 0.5 * reach, vec4(0.0), vec4(max(length - reach, 0.0)));
}

fn interpolated(at: vec2<i32>, first: u32) -> vec4<f32> {
    let columns = vec4(f32(at.x - step.rect.x)) + vec4(0.0, 1.0, 2.0, 3.0);
    let x = box_ends(columns, step.sampling.x, step.sampling.z, step.shape.x, 1.0);
    let y = box_ends(vec4(f32(at.y - step.rect.y)), step.sampling.y, step.sampling.w, step.shape.y, 1.0).x;
    let left = vec4<i32>(x);
    let top = i32(y);
    // four samples no more than two apart lie, with their right neighbours, within eight bytes
    let start = first + u32(top) * step.source.y + u32(left.x);
    let offset = vec4<u32>(left - left.x);
    let right = x - floor(x);
    let upper = eight_bytes(start);
    let above = mix(picked(upper, offset), picked(upper, offset + 1u), right);
    if y == floor(y) {
        return above;
    }
    let lower = eight_bytes(start + step.source.y);
    let below = mix(picked(lower, offset), picked(lower, offset + 1u), right);
    return mix(above, below, y - floor(y));
}

// The eight bytes from any address on.
fn eight_bytes(start: u32) -> vec2<u32> {
    let word = start >> 2u;
    let shift = (start & 3u) * 8u;
    let words = vec3(source[word], source[word + 1u], source[word + 2u]);
    // shifted twice, since a shift by 32 is none
    return (words.xy >> vec2(shift)) | ((words.yz << vec2(1u)) << vec2(31u - shift));
}

fn picked(bytes: vec2<u32>, at: vec4<u32>) -> vec4<f32> {
    let word = select(vec4(bytes.x), vec4(bytes.y), (at & vec4(4u)) != vec4(0u));
    return vec4<f32>(vec4<i32>((word >> ((at & vec4(3u)) * 8u)) & vec4(255u)));
}

fn averaged(at: vec2<i32>, first: u32) -> vec4<f32> {
    let columns = vec4(f32(at.x - step.rect.x)) + vec4(0.0, 1.0, 2.0, 3.0);
    let reach = select(vec2(1.0), step.sampling.zw, step.sampling.zw > vec2(2.0));
    let x = box_ends(columns, step.sampling.x, step.sampling.z, step.shape.x, reach.x);
    let y = box_ends(vec4(f32(at.y - step.rect.y)), step.sampling.y, step.sampling.w, step.shape.y, reach.y).x;
    var sum = vec4(0.0);
    for (var row = floor(y); row < y + reach.y; row += 1.0) {
        let weight = min(row + 1.0, y + reach.y) - max(row, y);
        let start = i32(first + u32(row) * step.source.y);
        sum += weight * vec4(row_sum(start, x.x, reach.x), row_sum(start, x.y, reach.x), row_sum(start, x.z, reach.x), row_sum(start, x.w, reach.x));
    }
    return sum / (reach.x * reach.y);
}

// The weighted sum of what a box covers of the row that starts at byte `start`.
fn row_sum(start: i32, low: f32, reach: f32) -> f32 {
    let high = low + reach;
    let end = start + i32(ceil(high));
    var sum = 0.0;
    for (var byte = (start + i32(low)) & -4; byte < end; byte += 4) {
        let column = vec4<f32>(vec4(byte - start) + vec4(0, 1, 2, 3));
        let weight = max(min(column + 1.0, vec4(high)) - max(column, vec4(low)), vec4(0.0));
        sum += dot(weight, unpacked(source[u32(byte) >> 2u]));
    }
    return sum;
}
