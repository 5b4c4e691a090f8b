"""The network of both models while they are trained, which reads one place of each sentence."""

import torch
from torch import nn
from torch.nn import functional

WIDTH, HEADS, FEED_FORWARD, POSITIONS = 128, 4, 512, 64
EPSILON = 1e-12
# The SD of weights at the start. BERT's .02 is for a width of 768, and gives a network this narrow
# so faint an attention that it learns nothing of the cues for a thousand steps.
START_SD = 0.08
# The id of [PAD], the first of the vocabulary.
PADDING = 0


class Layer(nn.Module):
    """A layer of BERT's encoder."""

    def __init__(self) -> None:
        """Build the layer with the weights that torch draws."""
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.attended = nn.LayerNorm(WIDTH, EPSILON)
        self.up, self.down = nn.Linear(WIDTH, FEED_FORWARD), nn.Linear(FEED_FORWARD, WIDTH)
        self.fed = nn.LayerNorm(WIDTH, EPSILON)

    def forward(
        self, states: torch.Tensor, seen: torch.Tensor, places: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the states after the layer, [n, length, width]; `seen` is [n, 1, 1, length].

        With `places`, [n], only the state at one place of each sentence: [n, 1, width].
        """
        asking = states if places is None else states[torch.arange(len(places)), places][:, None]
        query, key, value = (
            part.unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for part in (self.query(asking), self.key(states), self.value(states))
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        asking = self.attended(asking + self.out(mixed.transpose(1, 2).flatten(2)))
        fed: torch.Tensor = self.fed(asking + self.down(functional.gelu(self.up(asking))))
        return fed


class Encoder(nn.Module):
    """BERT for masked words, of `layers` layers; the teacher's and the student's network alike.

    Both architectures compute the same of the same weights: `build` puts them into either. What is
    trained is one place of each sentence, so the last layer and the head read that place alone,
    which saves a fifth of the teacher's time and two fifths of the student's.
    """

    def __init__(self, vocabulary_size: int, layers: int) -> None:
        """Build the network with weights drawn as BERT's are."""
        super().__init__()
        self.words = nn.Embedding(vocabulary_size, WIDTH)
        self.positions = nn.Embedding(POSITIONS, WIDTH)
        self.embedded = nn.LayerNorm(WIDTH, EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(layers))
        self.transform = nn.Linear(WIDTH, WIDTH)
        self.transformed = nn.LayerNorm(WIDTH, EPSILON)
        self.bias = nn.Parameter(torch.zeros(vocabulary_size))
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=START_SD)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def states(self, ids: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Return the last layer's state at one place, [n, width], of each sentence of `ids`."""
        # Thinned words are padding in the middle, so that a length would not tell what is seen.
        seen = (ids != PADDING)[:, None, None]
        states = self.embedded(self.words(ids) + self.positions.weight[: ids.shape[1]])
        *layers, last = self.layers
        for layer in layers:
            states = layer(states, seen)
        at_places: torch.Tensor = last(states, seen, places)
        return at_places.squeeze(1)

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """Return the logit of each word, [n, vocabulary], at places with these states."""
        transformed = self.transformed(functional.gelu(self.transform(states)))
        return functional.linear(transformed, self.words.weight, self.bias)
