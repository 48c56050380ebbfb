// Paints a part of a planar picture, scaled to the rectangle.
//
// In: `source`, I420, BT.601 limited range, 8 bits a sample, rows padded to whole words, all behind one unused word. Out: see step.wgsl.
//
// A sample is the mean of what a box covers in the source plane. Where an axis shrinks to less than half, the box is
// the whole of what the sample covers (area-true); else it is one sample long about the middle of that, and the
// mean over it is the linear interpolation between the two nearest. Boxes stay inside the plane.

// 0 copies, one source sample for each; 1 interpolates on both axes; 2 does whatever is asked
override READING: u32;

fn cover(pixel: vec2<f32>) -> f32 {
    return edge_cover(edge_distance(pixel, step.shape.z));
}

fn paint(at: vec2<i32>, plane: u32) -> u32 {
    let first = step.source.x + plane * step.source.z;
    if READING == 0u {
        return copied(at, plane, vec2<i32>(step.sampling.xy));
    }
    if READING == 1u {
        return packed(interpolated(at, first));
    }
    return packed(averaged(at, first));
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

fn picked(bytes: vec2<u32>, at: vec4<u32>) -> vec4<f32> {
    let word = select(vec4(bytes.x), vec4(bytes.y), (at & vec4(4u)) != vec4(0u));
    return vec4<f32>(vec4<i32>((word >> ((at & vec4(3u)) * 8u)) & vec4(255u)));
}

// The mean is taken down each word of four columns first, then across: rows begin at whole words, so that a word
// holds the same columns in each.
fn averaged(at: vec2<i32>, first: u32) -> vec4<f32> {
    let columns = vec4(f32(at.x - step.rect.x)) + vec4(0.0, 1.0, 2.0, 3.0);
    let reach = select(vec2(1.0), step.sampling.zw, step.sampling.zw > vec2(2.0));
    let left = box_ends(columns, step.sampling.x, step.sampling.z, step.shape.x, reach.x);
    let right = left + reach.x;
    let top = box_ends(vec4(f32(at.y - step.rect.y)), step.sampling.y, step.sampling.w, step.shape.y, reach.y).x;
    var sum = vec4(0.0);
    for (var column = i32(left.x) & -4; f32(column) < right.w; column += 4) {
        let down = column_sum(first + u32(column), top, top + reach.y);
        let x = vec4(f32(column)) + vec4(0.0, 1.0, 2.0, 3.0);
        sum += vec4(
            dot(down, overlap(x, left.x, right.x)),
            dot(down, overlap(x, left.y, right.y)),
            dot(down, overlap(x, left.z, right.z)),
            dot(down, overlap(x, left.w, right.w)),
        );
    }
    return sum / (reach.x * reach.y);
}

// The weighted sums of four columns from byte `start` of the plane's first row on.
fn column_sum(start: u32, top: f32, bottom: f32) -> vec4<f32> {
    var sum = vec4(0.0);
    for (var row = floor(top); row < bottom; row += 1.0) {
        let weight = min(row + 1.0, bottom) - max(row, top);
        sum += weight * unpacked(source[(start + u32(row) * step.source.y) >> 2u]);
    }
    return sum;
}

// How much of each sample lies between two ends.
fn overlap(sample: vec4<f32>, low: f32, high: f32) -> vec4<f32> {
    return max(min(sample + 1.0, vec4(high)) - max(sample, vec4(low)), vec4(0.0));
}
