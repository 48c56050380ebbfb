// What every pass shares: one step of a plan, the canvas it is painted on, coverage and blending.
//
// In: `step`, one plane's share of a step (a luma dispatch has one plane, a chroma dispatch two: z 0 is U, z 1 is V).
// Out: `canvas`, planar I420, BT.601 limited range, 8 bits a sample, four samples a word, rows padded to whole words.
// A pass adds `fn cover(vec2<f32>) -> f32` (coverage of one luma pixel, given its centre) and
// `fn paint(vec2<i32>, u32) -> vec4<f32>` (four samples from there on, of that plane; each 0 to 255).
// Never: a sampler, or sRGB: every number is the one that the CPU compositor computes with.

struct Step {
    // left, top, right and bottom of the step, in samples of the plane
    rect: vec4<i32>,
    // of the canvas plane: first word, words a row, words to the next plane; then luma pixels a sample and axis: 1 or 2
    canvas: vec4<u32>,
    // of the source plane: first byte, bytes a row, bytes to the next plane, and how it is read
    source: vec4<u32>,
    // in source samples: left and top of what the rectangle shows, then the way from one sample to the next in x and y
    sampling: vec4<f32>,
    // in source samples: width and height of the plane; in luma pixels: corner radius, line width (0 fills)
    shape: vec4<f32>,
    // of this plane and the next; then opacity
    paint: vec4<f32>,
}

@group(0) @binding(0) var<storage, read_write> canvas: array<u32>;
@group(0) @binding(1) var<uniform> step: Step;
@group(1) @binding(0) var<storage, read> source: array<u32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    // words lie at whole multiples of four samples; the first may begin left of the step
    let at = vec2((step.rect.x & -4) + i32(id.x) * 4, step.rect.y + i32(id.y));
    if at.x >= step.rect.z || at.y >= step.rect.w {
        return;
    }
    let word = step.canvas.x + id.z * step.canvas.z + u32(at.y) * step.canvas.y + u32(at.x >> 2u);
    let coverage = covers(at);
    let painted = paint(at, id.z);
    if all(coverage == vec4(1.0)) {
        canvas[word] = packed(painted);
    } else {
        canvas[word] = packed(mix(unpacked(canvas[word]), painted, coverage));
    }
}

// Coverage of four samples from `at` on, nothing outside the step's rectangle.
fn covers(at: vec2<i32>) -> vec4<f32> {
    let x = vec4(at.x) + vec4(0, 1, 2, 3);
    let inside = (x >= vec4(step.rect.x)) & (x < vec4(step.rect.z));
    var coverage = vec4(step.paint.z);
    if is_shaped() {
        coverage *= vec4(sample_cover(vec2(x.x, at.y)), sample_cover(vec2(x.y, at.y)), sample_cover(vec2(x.z, at.y)), sample_cover(vec2(x.w, at.y)));
    }
    return select(vec4(0.0), coverage, inside);
}

// Coverage of one sample: of a chroma sample, the mean over its 2×2 luma pixels.
fn sample_cover(at: vec2<i32>) -> f32 {
    if step.canvas.w == 1u {
        return cover(vec2<f32>(at) + 0.5);
    }
    let center = vec2<f32>(at) * 2.0 + 0.5;
    return 0.25 * (cover(center) + cover(center + vec2(1.0, 0.0)) + cover(center + vec2(0.0, 1.0)) + cover(center + 1.0));
}

// Signed distance of a luma pixel's centre from the edge of the step's rectangle with rounded corners, negative inside.
fn edge_distance(pixel: vec2<f32>, radius: f32) -> f32 {
    let scale = f32(step.canvas.w);
    let low = vec2<f32>(step.rect.xy) * scale;
    let high = vec2<f32>(step.rect.zw) * scale;
    let beyond = abs(pixel - 0.5 * (low + high)) - 0.5 * (high - low) + radius;
    return length(max(beyond, vec2(0.0))) + min(max(beyond.x, beyond.y), 0.0) - radius;
}

// Coverage at a distance from an edge: a half on it, all at half a pixel inside.
fn edge_cover(distance: f32) -> f32 {
    return clamp(0.5 - distance, 0.0, 1.0);
}

fn unpacked(word: u32) -> vec4<f32> {
    return vec4<f32>(vec4<i32>((vec4(word) >> vec4(0u, 8u, 16u, 24u)) & vec4(255u)));
}

fn packed(samples: vec4<f32>) -> u32 {
    let bytes = bitcast<vec4<u32>>(vec4<i32>(samples + 0.5));
    return bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}
