//! The CPU compositor and wgpu draw random scenes alike: the differences are printed, and bounded.
//!
//! Twenty scenes of any size; a thousand small ones with everything that a scene can hold; a thousand random layouts, each for a number
//! of people from 0 to 40. All of them are drawn by both, and compared.

use std::sync::Arc;
use std::time::Duration;

use medley::compositor::cpu::CpuCompositor;
use medley::compositor::gpu::{Adapters, GpuCompositor};
use medley::compositor::{Compositor, Fonts};
use medley::media::{Frame, Scene};

mod difference;
mod layouts;
mod scenes;

use difference::{Difference, between, report};
use scenes::{Artist, Faces};

/// The CPU rounds weights and coverage to 8 bits, and that at each of the layers that lie on one another.
const LARGEST_DIFFERENCE: u8 = 3;

const LOWEST_PSNR_DB: f64 = 50.0;

#[test]
fn twenty_random_scenes_are_drawn_alike_on_cpu_and_wgpu() {
    let mut both = Both::open();
    for seed in 0..20 {
        let (scene, faces) = Artist::new(seed, (1280, 720), 1400).scene(9);
        both.draw(seed, &scene, &faces);
    }
    both.assert_alike();
}

#[test]
fn a_thousand_crowded_small_scenes_are_drawn_alike_on_cpu_and_wgpu() {
    let mut both = Both::open();
    for seed in 0..1000 {
        let (scene, faces) = Artist::new(seed, (256, 192), 200).scene(40);
        both.draw(seed, &scene, &faces);
    }
    both.assert_alike();
}

#[test]
fn a_thousand_random_layouts_of_up_to_forty_people_are_drawn_alike_on_cpu_and_wgpu() {
    let mut both = Both::open();
    for seed in 0..1000 {
        let (scene, faces) = Artist::new(seed, (256, 192), 200).room();
        both.draw(seed, &scene, &faces);
    }
    both.assert_alike();
}

/// Both compositors, and how far their canvases were apart.
struct Both {
    cpu: CpuCompositor,
    gpu: GpuCompositor,
    total: [Difference; 3],
}

impl Both {
    fn open() -> Self {
        let fonts = Fonts::embedded();
        let gpu = GpuCompositor::open(Adapters::AnySoftwareToo, fonts.clone());
        let gpu = gpu.expect("this test needs a Vulkan adapter: install mesa-vulkan-drivers");
        Self { cpu: CpuCompositor::new(fonts), gpu, total: Default::default() }
    }

    fn draw(&mut self, seed: u64, scene: &Scene, faces: &Faces) {
        let planes = between(&drawn(&mut self.cpu, scene, faces), &drawn(&mut self.gpu, scene, faces));
        if planes.iter().any(|plane| plane.largest >= LARGEST_DIFFERENCE) {
            println!("scene {seed:3} {:4}x{:<4} {}", scene.canvas.width, scene.canvas.height, report(&planes));
        }
        for (total, plane) in self.total.iter_mut().zip(planes) {
            total.add(plane);
        }
    }

    fn assert_alike(&self) {
        println!("all scenes {}", report(&self.total));
        for difference in self.total {
            assert!(difference.largest <= LARGEST_DIFFERENCE, "{}", report(&self.total));
            assert!(difference.psnr_db() >= LOWEST_PSNR_DB, "{}", report(&self.total));
        }
    }
}

fn drawn(compositor: &mut dyn Compositor, scene: &Scene, faces: &Faces) -> Arc<Frame> {
    compositor.submit(scene, faces).expect("the device lives");
    compositor.take(Duration::from_secs(20)).expect("the device lives").expect("a canvas within the patience").frame
}
