//! candle, as `networks --peer` asks (`benches/networks/src/peer.rs`). It allocates its results. In training its autograd computes the
//! gradients, of a gradient at the output that is 1, so that their sum is not compared.

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::time::Instant;

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{Activation, Module, ops};

/// As in `benches/networks/src/tensors.rs`.
const STARTS: [usize; 4] = [0, 1000, 5000, 9000];

struct Layer {
    function: String,
    epilogue: String,
    is_training: bool,
    /// Where the others of `x` are summed for a bias.
    others: Vec<usize>,
    x: Var,
    second: Var,
    bias: Tensor,
}

impl Layer {
    /// None if it is not a layer's line.
    fn parse(line: &str, numbers: &[f32]) -> Result<Option<Self>> {
        let words: Vec<_> = line.split_whitespace().collect();
        let &[pass, function, epilogue, format, layout, images, channels, spatial] = &words[..] else {
            return Ok(None);
        };
        let [images, channels, spatial] = [images, channels, spatial].map(|number| number.parse().unwrap_or(1));
        let (shape, of_bias, others) = match layout {
            "first" => (vec![images, channels, spatial], vec![1, channels, 1], vec![0, 2]),
            _ => (vec![images, channels], vec![1, channels], vec![0]),
        };
        let dtype = if format == "bf16" { DType::BF16 } else { DType::F32 };
        let tensor = |start: usize, shape: &[usize]| {
            let elements = shape.iter().product();
            let numbers = numbers.iter().copied().cycle().skip(start).take(elements);
            Tensor::from_iter(numbers, &Device::Cpu)?
                .reshape(shape)?
                .to_dtype(dtype)
        };
        Ok(Some(Self {
            function: function.into(),
            epilogue: epilogue.into(),
            is_training: pass == "training",
            others,
            x: Var::from_tensor(&tensor(STARTS[0], &shape)?)?,
            second: Var::from_tensor(&tensor(STARTS[1], &shape)?)?,
            bias: tensor(STARTS[3], &of_bias)?,
        }))
    }

    fn value(&self, x: &Tensor) -> Result<Tensor> {
        match &*self.function {
            "relu" => x.relu(),
            "silu" => x.silu(),
            "gelu" => x.gelu_erf(),
            "tanh" => x.tanh(),
            "sigmoid" => ops::sigmoid(x),
            "relu6" => Activation::Relu6.forward(x),
            "hardswish" => Activation::HardSwish.forward(x),
            "hardsigmoid" => Activation::HardSigmoid.forward(x),
            other => candle_core::bail!("no {other}"),
        }
    }

    /// The output, or the last gradient.
    fn run(&self) -> Result<Tensor> {
        let (x, second) = match self.is_training {
            true => (self.x.as_tensor().clone(), self.second.as_tensor().clone()),
            false => (self.x.as_detached_tensor(), self.second.as_detached_tensor()),
        };
        let has_bias = !self.is_training && ["bn", "bn+residual", "bias"].contains(&&*self.epilogue);
        let has_scale = has_bias && self.epilogue != "bias";
        let x = if has_scale { x.broadcast_mul(&self.bias)? } else { x };
        let z = if has_bias { x.broadcast_add(&self.bias)? } else { x };
        let y = match &*self.epilogue {
            "bn+residual" => self.value(&z.add(&second)?)?,
            "gate" => self.value(&z)?.mul(&second)?,
            _ => self.value(&z)?,
        };
        if !self.is_training {
            return Ok(y);
        }
        let gradients = y.backward()?;
        let gradient = gradients.get(&self.x).expect("x is a variable").clone();
        if self.epilogue == "bias" {
            gradient.sum(&self.others[..])
        } else {
            Ok(gradient)
        }
    }
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let bytes = std::fs::read(std::env::args().next_back().expect("a file of numbers"))?;
    let numbers: Vec<_> = bytes
        .chunks_exact(4)
        .map(|bytes| f32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        .collect();
    let mut layer = None;
    for line in io::stdin().lock().lines() {
        let line = line?;
        if let Some(asked) = Layer::parse(&line, &numbers)? {
            match asked.run() {
                Err(error) => {
                    eprintln!("candle: '{line}': {error}");
                    println!("none");
                }
                Ok(_) if asked.is_training => println!("?"),
                Ok(result) => println!("{}", result.to_dtype(DType::F64)?.abs()?.sum_all()?.to_scalar::<f64>()?),
            }
            layer = Some(asked);
        } else if let Some(layer) = &layer {
            let calls: u32 = line.trim().parse()?;
            let start = Instant::now();
            for _ in 0..calls {
                std::hint::black_box(layer.run()?);
            }
            println!("{}", start.elapsed().as_nanos());
        }
        io::stdout().flush()?;
    }
    Ok(())
}
