"""Answer each line of sentences with their pseudo-log-likelihoods by minicons, and the seconds.

    echo '["He ran."]' | python benchmarks/with_minicons.py CHECKPOINT

It runs in an environment of its own, which `likelihoods` makes.
"""

import json
import sys
import time

from minicons import scorer

model = scorer.MaskedLMScorer(sys.argv[1], "cpu")
for line in sys.stdin:
    started = time.process_time()
    values = model.sequence_score(
        json.loads(line), reduction=lambda x: x.sum(0).item(), PLL_metric="original"
    )
    print(json.dumps([list(map(float, values)), time.process_time() - started]), flush=True)
