// What every pass shares: one part of a step, the canvas it is painted on, coverage and blending.
//
// In: `step`, what one dispatch paints: luma, or both chroma planes (z 0 is U, z 1 is V).
// Out: `canvas`, planar I420, BT.601 limited range, 8 bits a sample, four samples a word, rows padded to whole words.
// A pass adds `fn cover(vec2<f32>) -> f32` (coverage of one luma pixel, given its centre) and
// `fn paint(vec2<i32>, u32) -> u32` (a word of four samples from there on, of that plane).
// Never: a sampler, or sRGB: every number is the one that the CPU compositor computes with.
// Whatever is the same for a whole dispatch is an override, since software Vulkan runs both sides of every branch.

struct Step {
    // left, top, right and bottom in samples of the plane: what is painted, and the step that it is a part of
    clip: vec4<i32>,
    rect: vec4<i32>,
    // of the canvas plane: first word, words a row, words to the next plane
    canvas: vec4<u32>,
    // of the source plane: first byte, bytes a row, bytes to the next plane; then the first byte of a mask
    source: vec4<u32>,
    // in source samples: left and top of what the rectangle shows, then the way from one sample to the next in x and y
    sampling: vec4<f32>,
    // in source samples: width and height of the plane, or of the mask; in luma pixels: corner radius, line width (0 fills)
    shape: vec4<f32>,
    // colour of this plane and the next; then opacity
    paint: vec4<f32>,
}

// both chroma planes are painted, not luma
override CHROMA: bool;
// some of the part is not covered whole
override BLENDED: bool;

@group(0) @binding(0) var<storage, read_write> canvas: array<u32>;
@group(0) @binding(1) var<uniform> step: Step;
@group(1) @binding(0) var<storage, read> source: array<u32>;

@compute @workgroup_size(8, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    // words lie at whole multiples of four samples; the first may begin left of the part
    let at = vec2((step.clip.x & -4) + i32(id.x) * 4, step.clip.y + i32(id.y));
    if at.x >= step.clip.z || at.y >= step.clip.w {
        return;
    }
    let word = step.canvas.x + id.z * step.canvas.z + u32(at.y) * step.canvas.y + u32(at.x >> 2u);
    let x = vec4(at.x) + vec4(0, 1, 2, 3);
    let inside = (x >= vec4(step.clip.x)) & (x < vec4(step.clip.z));
    let painted = paint(at, id.z);
    if BLENDED {
        let covered = vec4(sample_cover(x.x, at.y), sample_cover(x.y, at.y), sample_cover(x.z, at.y), sample_cover(x.w, at.y));
        let coverage = select(vec4(0.0), covered * step.paint.z, inside);
        canvas[word] = packed(mix(unpacked(canvas[word]), unpacked(painted), coverage));
    } else if all(inside) {
        canvas[word] = painted;
    } else {
        let bytes = select(vec4(0u), vec4(0xffu, 0xff00u, 0xff0000u, 0xff000000u), inside);
        let bits = bytes.x | bytes.y | bytes.z | bytes.w;
        canvas[word] = (canvas[word] & ~bits) | (painted & bits);
    }
}

// Luma pixels a sample and axis.
fn scale() -> i32 {
    return select(1, 2, CHROMA);
}

// Coverage of one sample: of a chroma sample, the mean over its 2×2 luma pixels.
fn sample_cover(x: i32, y: i32) -> f32 {
    let center = vec2(f32(x * scale()), f32(y * scale())) + 0.5;
    if !CHROMA {
        return cover(center);
    }
    return 0.25 * (cover(center) + cover(center + vec2(1.0, 0.0)) + cover(center + vec2(0.0, 1.0)) + cover(center + 1.0));
}

// Signed distance of a luma pixel's centre from the edge of the step's rectangle with rounded corners, negative inside.
fn edge_distance(pixel: vec2<f32>, radius: f32) -> f32 {
    let low = vec2<f32>(step.rect.xy * scale());
    let high = vec2<f32>(step.rect.zw * scale());
    let beyond = abs(pixel - 0.5 * (low + high)) - 0.5 * (high - low) + radius;
    return length(max(beyond, vec2(0.0))) + min(max(beyond.x, beyond.y), 0.0) - radius;
}

// Coverage at a distance from an edge: a half on it, all at half a pixel inside.
fn edge_cover(distance: f32) -> f32 {
    return clamp(0.5 - distance, 0.0, 1.0);
}

// What a mask of the rectangle's size, row by row from byte `first` of the source on, covers of a luma pixel.
fn mask_cover(pixel: vec2<f32>, first: u32) -> f32 {
    let at = vec2<i32>(pixel) - step.rect.xy * scale();
    let size = vec2<i32>(step.shape.xy);
    let inside = clamp(at, vec2(0), size - 1);
    let byte = first + u32(inside.y * size.x + inside.x);
    return f32((source[byte >> 2u] >> ((byte & 3u) * 8u)) & 255u) / 255.0;
}

// Four samples of a plane of the source, one for each of the canvas; `corner` of the source lies at the rectangle's.
fn copied(at: vec2<i32>, plane: u32, corner: vec2<i32>) -> u32 {
    let pick = at - step.rect.xy + corner;
    // left of the rectangle `pick.x` is below 0: what lies before the row is read, and not painted
    return eight_bytes(u32(i32(step.source.x + plane * step.source.z) + pick.y * i32(step.source.y) + pick.x)).x;
}

// The eight bytes from any address on.
fn eight_bytes(start: u32) -> vec2<u32> {
    let word = start >> 2u;
    let shift = (start & 3u) * 8u;
    let words = vec3(source[word], source[word + 1u], source[word + 2u]);
    // shifted twice, since a shift by 32 is none
    return (words.xy >> vec2(shift)) | ((words.yz << vec2(1u)) << vec2(31u - shift));
}

fn unpacked(word: u32) -> vec4<f32> {
    return vec4<f32>(vec4<i32>((vec4(word) >> vec4(0u, 8u, 16u, 24u)) & vec4(255u)));
}

fn packed(samples: vec4<f32>) -> u32 {
    let bytes = bitcast<vec4<u32>>(vec4<i32>(samples + 0.5));
    return bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}
