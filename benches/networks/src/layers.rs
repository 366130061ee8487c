//! The networks: their files, which `derive.py` writes.

use shapes::shape::Shape;

pub struct Network {
    pub name: &'static str,
    /// With the size of the input.
    pub title: &'static str,
    pub layers: Vec<Layer>,
}

/// Activation layers of the same kind and shape.
#[derive(Clone, Copy)]
pub struct Layer {
    /// A name that `rectify` and PyTorch know.
    pub function: &'static str,
    pub epilogue: Epilogue,
    /// Of one input.
    pub shape: Shape,
    pub count: usize,
}

/// What the function is applied to.
#[derive(Clone, Copy, PartialEq)]
pub enum Epilogue {
    /// A batch norm's output. In inference it is a scale and a bias per channel.
    BatchNorm,
    BatchNormResidual,
    /// The output of a convolution or matrix product with a bias.
    Bias,
    /// A second tensor is multiplied by the result.
    Gate,
    None,
}

impl Epilogue {
    const NAMES: [(&'static str, Self); 5] = [
        ("bn", Self::BatchNorm),
        ("bn+residual", Self::BatchNormResidual),
        ("bias", Self::Bias),
        ("gate", Self::Gate),
        ("none", Self::None),
    ];

    pub fn name(self) -> &'static str {
        let named = Self::NAMES.into_iter().find(|&(_, epilogue)| epilogue == self);
        named.expect("each has one").0
    }

    /// Whether the input is multiplied by a scale per channel in inference, before the bias. Its numbers are those of the bias.
    pub fn has_scale(self) -> bool {
        matches!(self, Self::BatchNorm | Self::BatchNormResidual)
    }

    /// Whether a bias per channel is added to the input in inference.
    pub fn has_bias(self) -> bool {
        matches!(self, Self::BatchNorm | Self::BatchNormResidual | Self::Bias)
    }

    pub fn has_residual(self) -> bool {
        self == Self::BatchNormResidual
    }
}

impl Layer {
    /// The shape of a batch: with channels last there are more rows.
    pub fn of_batch(self, batch: usize) -> Shape {
        let images = self.shape.images * batch;
        Shape { images, ..self.shape }
    }
}

macro_rules! files {
    ($($name:literal)+) => {
        [$(($name, include_str!(concat!("../layers/", $name, ".csv")))),+]
    };
}

pub const FILES: [(&str, &str); 10] = files! {
    "resnet50" "mobilenet_v2" "mobilenet_v3_large" "efficientnet_b0" "yolo11n" "unet"
    "bert_base" "vit_b_16" "llama_1b" "llama_1b_token"
};

pub fn all() -> Vec<Network> {
    let parsed = FILES.map(|(name, file)| Network {
        name,
        title: file.trim_start_matches("# ").split(':').next().unwrap_or(name),
        layers: file.lines().skip(2).map(|line| parse(line).expect(name)).collect(),
    });
    parsed.into()
}

fn parse(line: &'static str) -> Option<Layer> {
    let mut words = line.split(',');
    let function = words.next()?;
    let epilogue = words.next()?;
    let is_first = words.next()? == "first";
    let mut number = || words.next()?.parse().ok();
    Some(Layer {
        function,
        epilogue: Epilogue::NAMES.into_iter().find(|&(name, _)| name == epilogue)?.1,
        shape: Shape {
            is_first,
            images: number()?,
            channels: number()?,
            spatial: number()?,
            gap: 0,
        },
        count: number()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of layers that the papers' tables give.
    #[test]
    fn networks_have_the_layers_of_their_papers() {
        let count = |name: &str, epilogue: &[Epilogue]| -> usize {
            let networks = all();
            let network = networks.iter().find(|network| network.name == name).unwrap();
            let counted = network.layers.iter().filter(|layer| epilogue.contains(&layer.epilogue));
            counted.map(|layer| layer.count).sum()
        };
        // 7 x 7, and 16 blocks of three convolutions, the last one with a residual.
        assert_eq!(count("resnet50", &[Epilogue::BatchNorm]), 1 + 16 * 2);
        assert_eq!(count("resnet50", &[Epilogue::BatchNormResidual]), 16);
        // The first block has no expansion.
        assert_eq!(count("mobilenet_v2", &[Epilogue::BatchNorm]), 1 + 17 * 2 - 1 + 1);
        assert_eq!(count("efficientnet_b0", &[Epilogue::BatchNorm]), 1 + 16 * 2 - 1 + 1);
        assert_eq!(count("efficientnet_b0", &[Epilogue::Bias]), 16 * 2);
        assert_eq!(count("unet", &[Epilogue::BatchNorm]), 9 * 2);
        assert_eq!(count("bert_base", &[Epilogue::Bias]), 12 + 1);
        assert_eq!(count("vit_b_16", &[Epilogue::Bias]), 12);
        assert_eq!(count("llama_1b", &[Epilogue::Gate]), 16);
    }
}
