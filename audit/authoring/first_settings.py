"""The AUDIT.toml that `maskaudit init` writes: every key, as it is without a file."""

TEMPLATE = """\
# AUDIT.toml: what `maskaudit run` audits. Every key is optional.

[models]
# The older or larger model, and the one that is judged: a hub id with a revision, or a folder.
# Leave both out to audit the bundled pair; name only a candidate to audit one model alone.
# reference = { id = "google-bert/bert-base-uncased", revision = "main" }
# candidate = { id = "distilbert/distilbert-base-uncased", revision = "main" }
# Several candidates instead of one: each gets its own record, and the reference is scored once.
# candidates = [{ id = "distilbert/distilbert-base-uncased" }, { id = "models/pruned" }]

[probes]
# "core" means six shipped sets that are soon asked, "full" all of them, "axis:religion" those on an
# axis (see `maskaudit probes list`); you can also list paths and patterns of your own TOML files.
sets = ["core"]
# Hurtful words for `honest`: one per line, or a table with a column "lemma". None are shipped.
# lexicon = "lexicon.tsv"

# Masked text with answers, or plain text, that is asked beside these sets; and alone by
# `maskaudit evaluate`, whose options have these names.
# [text]
# data = "letters.jsonl"
# columns = { group = "gender" }
# first = 1000

[run]
# Where records are written, each in its own folder.
runs = "runs"
# The seed that draws the frames of a set with a grammar; use another each week for new frames.
seed = 0
# How p values are adjusted for the number of tested sets: "bh" (Benjamini & Hochberg), or "by"
# (Benjamini & Yekutieli) if sets share groups with opposite signs; "by" has less power.
adjust = "bh"
# The sentence that a mask is read in: "written" (each word is written in, and exactly its pieces
# are masked), or "as_encoded" (the mask's own text is in it, as fill-mask reads it).
context = "written"
# The size limit, in MiB, of the score cache, from which an interrupted run resumes; 0: no cache.
cache_mib = 2048
# Score transformers' class where a checkpoint brings code, which is never run; the page says so.
allow_native = false
# "required": an audit without a gates.toml is refused before it starts. By default it is only told.
gates = "optional"
# The most items (a word in a sentence) that one set may make; a larger set is refused.
most_items = 2000000
# What runs models: "auto" runs a checkpoint by torch, and an exported file by its own library; or
# "torch", "onnx", "openvino". Numbers of other engines are not compared with each other.
engine = "auto"
# Where models run: "auto" takes CUDA where it is there, and otherwise the processor; or "cpu",
# "cuda", "mps". Numbers of other devices are not compared with each other.
device = "auto"
# The precision of a model's layers: "float32", or "bfloat16", which is several times as fast where
# the processor or the device has it. How far it is from float32 is measured, told and recorded.
dtype = "float32"
# The threads of the processor, and the most pieces (subwords) that are run at once.
# threads = 2
# batch_tokens = 1024
# A trial of the first frames of each set, as many of each style; such a record is no baseline.
# limit = 8

# What an application does with the models, measured elsewhere: it stands beside the numbers of this
# audit and changes none. Give a standard error, or both ends of a 95 % interval, where you know it.
# [[run.extrinsic]]
# name = "occupation classifier, gap in recall between women and men"
# unit = "percentage points"
# higher_is = "worse"
# source = "the classifier of release 1.4 on held-out biographies, five seeds, 2 November 2026"
# scores."google-bert/bert-base-uncased@main" = { value = 12.1, std_error = 0.9 }
# scores."distilbert/distilbert-base-uncased@main" = { value = 14, low = 12.2, high = 15.8 }

# How a model is asked that is named by an address, such as candidate = "https://example.org/model".
[endpoint]
# The service's form: "huggingface", with probabilities of the words in `targets`; or "azure" and
# "mlflow", which give one word, for `maskaudit first-words`.
kind = "huggingface"
# "censored" where the service gives its top_k likeliest fills alone: all else has bounds then.
grade = "exact"
top_k = 100
# How the served model writes its mask, and what is said to be served: nothing checks it.
mask = "[MASK]"
model = ""
revision = ""
# Seconds for an answer, tries after the first, requests at one time, and sentences in a request.
timeout = 30
retries = 5
concurrency = 4
batch = 1
# The most requests a second; and headers from environment variables, which are stored nowhere.
# rate = 20
# headers.Authorization = "Bearer ${MASKAUDIT_TOKEN}"

[margins]
# Differences and leans below a margin count as none: of a stereotype contrast, of one attribute.
# Each has the reason for its size, and counts in place of what a set's own file declares.
# contrast = { nats = 0.2, reason = "multiplies the odds by 1.22, the least that we would act on" }
# attribute = { nats = 0.5, reason = "multiplies the odds of one word by 1.65" }
# sets.gender-occupation.contrast = { nats = 0.1, reason = "for this set alone" }
"""
