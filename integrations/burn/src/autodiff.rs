//! The gradient, for burn's autodiff.

use std::marker::PhantomData;

use burn::backend::tensor::FloatTensor;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::retro_forward::RetroForward;
use burn_autodiff::checkpoint::state::BackwardStates;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn_autodiff::{Autodiff, NodeId};
use rectify::AnyActivation;

use crate::{ActivationBackend, GradientBackend};

impl<B: ActivationBackend + GradientBackend, C: CheckpointStrategy> ActivationBackend for Autodiff<B, C> {
    fn activate(x: FloatTensor<Self>, function: AnyActivation) -> FloatTensor<Self> {
        let node = x.node();
        let again = Again::<B> {
            x: node.id(),
            function,
            backend: PhantomData,
        };
        let prepared = Gradient(function)
            .prepare::<C>([node])
            .memory_bound()
            .retro_forward(again);
        match prepared.parents([&x]).stateful() {
            OpsKind::Tracked(mut prepared) => {
                let state = prepared.checkpoint(&x);
                prepared.finish(state, B::activate(x.into_primitive(), function))
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::activate(x.into_primitive(), function)),
        }
    }
}

#[derive(Debug)]
struct Gradient(AnyActivation);

impl<B: GradientBackend> Backward<B, 1> for Gradient {
    type State = NodeId;

    fn backward(self, ops: Ops<NodeId, 1>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let x = checkpointer.retrieve_node_output(ops.state);
        unary::<B, _>(ops.parents, ops.node, grads, |grad| B::gradient(x, grad, self.0));
    }
}

/// The value, computed again where memory is saved.
#[derive(Debug)]
struct Again<B> {
    x: NodeId,
    function: AnyActivation,
    backend: PhantomData<B>,
}

impl<B: ActivationBackend> RetroForward for Again<B> {
    fn forward(&self, states: &mut BackwardStates, node: NodeId) {
        let x = states.get_state::<B::FloatTensorPrimitive>(&self.x);
        states.save(node, B::activate(x, self.function));
    }
}
