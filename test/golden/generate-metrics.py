"""Writes metrics.json: figures of the official implementations of the metrics, for our own to agree with.

    python3 -O test/golden/generate-metrics.py CHECKOUTS

CHECKOUTS holds clones of github.com/OPTML-Group/Unlearn-Sparse (80ba55d), google-deepmind/unlearning_evaluation (ffae0ff),
RoyRin/data-unlearning-bench (eb261f9) and locuslab/open-unlearning (d3d7cf9). `-O`, because the scorer asserts the truth of an array.
Needs numpy, scipy, scikit-learn and torch; their versions are in the output. Without a GPU, `.cuda()` is made to do nothing.
Logits have three decimals and are rounded to single precision.
"""

import importlib.util
import json
import platform
import sys
import types
from pathlib import Path

import numpy as np
import scipy
import sklearn
import torch
from scipy import special, stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.svm import SVC

CHECKOUTS = Path(sys.argv[1])
SEED = 20261124
draw = np.random.default_rng(SEED)
torch.Tensor.cuda = lambda self, *_, **__: self


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, CHECKOUTS / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stub(name, **members):
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module


stub("imagenet", get_x_y_from_data_dict=None)
stub("tqdm", tqdm=lambda items, **_: items)
stub("unlearning_bench")
stub("unlearning_bench.paths", EVAL_DIR=None, DATA_DIR=None)
sparse = load("svc_mia", "Unlearn-Sparse/evaluation/SVC_MIA.py")
scorer = load("scorer", "unlearning_evaluation/metric.py")
bench = load("bench", "data-unlearning-bench/unlearning_bench/eval.py")


def rounded(values, digits=3):
    return np.round(values, digits).astype(np.float32)


def plain(values):
    return np.asarray(values, dtype=np.float64).reshape(-1).tolist()


def scored(count, classes, lead, spread):
    labels = draw.integers(0, classes, count)
    logits = draw.normal(0, spread, (count, classes))
    logits[np.arange(count), labels] += lead
    return {"logits": rounded(logits), "labels": labels, "classes": classes}


def to_json(samples):
    return {"logits": plain(samples["logits"]), "labels": samples["labels"].tolist(), "classes": samples["classes"]}


def svc():
    cases = []
    for count, forget, classes in [(40, 30, 3), (90, 50, 4)]:
        groups = [scored(count, classes, 4, 1.5), scored(count, classes, 2, 1.5), scored(forget, classes, 3, 1.5)]
        probabilities = [torch.softmax(torch.tensor(g["logits"]).double(), -1) for g in groups]
        labels = [torch.tensor(g["labels"]) for g in groups]

        def modified(p, y):
            own = torch.zeros_like(p).bool()
            own[torch.arange(len(y)), y] = True
            return torch.where(own, -(1 - p) * p.log(), -p * (1 - p).log()).sum(-1)

        features = {
            "correctness": [(p.argmax(1) == y).int() for p, y in zip(probabilities, labels)],
            "confidence": [p.gather(1, y[:, None]) for p, y in zip(probabilities, labels)],
            "entropy": [sparse.entropy(p) for p in probabilities],
            "modified-entropy": [modified(p, y) for p, y in zip(probabilities, labels)],
            "historical-modified-entropy": [sparse.m_entropy(p, y) for p, y in zip(probabilities, labels)],
            "probability": probabilities,
        }
        nothing = torch.zeros(0)
        expected = {}
        for name, (members, others, target) in features.items():
            x = torch.cat([members, others]).numpy().reshape(2 * count, -1)
            y = np.concatenate([np.ones(count), np.zeros(count)])
            tight = SVC(C=3, gamma="auto", kernel="rbf", tol=1e-10).fit(x, y)
            target_rows = target.numpy().reshape(forget, -1)
            fitted = SVC(C=3, gamma="auto", kernel="rbf").fit(x, y)
            expected[name] = {
                "values": plain(target),
                "efficacy": float(sparse.SVC_fit_predict(members, others, nothing, target)),
                "calledMember": fitted.predict(target_rows).astype(bool).tolist(),
                "tightDecisions": plain(tight.decision_function(target_rows)),
            }
        cases.append({
            "members": to_json(groups[0]), "nonMembers": to_json(groups[1]), "forget": to_json(groups[2]),
            "expected": expected,
        })
    return cases


def support_vectors():
    """Where the classes overlap more and the solver takes thousands of steps."""
    count = 400
    x = np.round(np.concatenate([draw.normal(0.3, 1, (count, 2)), draw.normal(-0.3, 1, (count, 2))]), 3)
    y = np.concatenate([np.ones(count), np.zeros(count)])
    queries = np.round(draw.normal(0, 1.5, (50, 2)), 3)
    tight = SVC(C=3, gamma="auto", kernel="rbf", tol=1e-10).fit(x, y)
    usual = SVC(C=3, gamma="auto", kernel="rbf").fit(x, y)
    return {
        "features": plain(x), "members": count, "queries": plain(queries),
        "tightDecisions": plain(tight.decision_function(queries)),
        "calledMember": usual.predict(queries).astype(bool).tolist(),
    }


def logistic():
    losses = np.round(np.concatenate([draw.exponential(0.6, 50), draw.exponential(1.4, 50)]), 3)
    labels = np.repeat([1, 0], 50)
    fitted = LogisticRegression(tol=1e-12, solver="newton-cholesky", max_iter=1000).fit(losses[:, None], labels)
    return {"losses": plain(losses), "members": 50, "weight": float(fitted.coef_[0, 0]), "intercept": float(fitted.intercept_[0])}


def roc():
    scores = np.round(draw.normal(0, 1, 60), 1)
    members = draw.integers(0, 2, 60).astype(bool)
    fpr, tpr, thresholds = roc_curve(members, scores, drop_intermediate=False)
    return {
        "scores": plain(scores), "members": members.tolist(), "auc": roc_auc_score(members, scores),
        "falsePositiveRates": plain(fpr), "truePositiveRates": plain(tpr),
    }


def forgetting_quality():
    cases = []
    for models, shifts in [(64, [0, 0.3, 1, 3, 9]), (40, [0, 0.5, 2])]:
        unlearned = np.round(draw.normal(0, 1, (models, len(shifts))) + shifts, 3)
        retrained = np.round(draw.normal(0, 1.2, (models, len(shifts))), 3)
        positive = np.median(retrained, 0) > np.median(unlearned, 0)
        epsilons = scorer._get_epsilons(
            np.where(positive, retrained, unlearned), np.where(positive, unlearned, retrained), delta=scorer.DELTA)
        cases.append({
            "unlearned": unlearned.tolist(), "retrained": retrained.tolist(), "epsilons": plain(epsilons),
            "score": scorer.compute_forget_score_from_confs(unlearned, retrained),
        })
    return cases


def klom():
    unlearned = np.round(draw.normal(1, 1, (30, 6)), 3)
    unlearned[:, 5] = 7
    oracles = np.round(draw.normal(0, 1, (30, 6)), 3)
    oracles[:, 5] = 7
    oracles[0, 4] = 250
    logits = draw.normal(0, 3, (1, 8, 5)).astype(np.float32)
    labels = draw.integers(0, 5, 8)
    return {
        "unlearned": unlearned.tolist(), "oracles": oracles.tolist(),
        "values": plain(bench.kl_from_margins(torch.tensor(unlearned), torch.tensor(oracles))),
        "logits": plain(logits), "labels": labels.tolist(), "classes": 5,
        "margins": plain(bench.get_margins_from_multimodel_logits(
            torch.tensor(logits).double(), torch.tensor(labels), "cpu")),
        "confidences": plain(scorer.compute_logit_scaled_confidence(logits[0].copy(), labels)[1]),
    }


def kolmogorov_smirnov():
    cases = []
    for n, m, decimals, shift in [(8, 8, 9, 0.5), (12, 7, 9, 0), (20, 30, 1, 0.4), (60, 45, 9, 0.3), (5, 5, 9, 9)]:
        a = np.round(draw.normal(0, 1, n), decimals)
        b = np.round(draw.normal(shift, 1, m), decimals)
        exact = stats.ks_2samp(a, b, method="exact")
        cases.append({
            "a": plain(a), "b": plain(b), "statistic": exact.statistic, "exact": exact.pvalue,
            "limit": float(special.kolmogorov(np.sqrt(n * m / (n + m)) * exact.statistic)),
        })
    return cases


def equivalence():
    a = np.round(draw.normal(0, 1, 14), 4)
    b = np.round(draw.normal(0.1, 1.5, 9), 4)
    margin = 1.5
    upper = stats.ttest_ind(a, b + margin, equal_var=False, alternative="less")
    lower = stats.ttest_ind(a, b - margin, equal_var=False, alternative="greater")
    return {"a": plain(a), "b": plain(b), "margin": margin, "p": float(max(upper.pvalue, lower.pvalue)), "freedom": float(upper.df)}


def proportions():
    return [
        {"successes": k, "trials": n, "confidence": c,
         "low": stats.binomtest(k, n).proportion_ci(c, "exact").low,
         "high": stats.binomtest(k, n).proportion_ci(c, "exact").high}
        for k, n, c in [(0, 10, 0.95), (10, 10, 0.95), (3, 17, 0.9), (512, 1000, 0.99)]
    ]


def distributions():
    normal = [-9.0, -3.2, -0.4, 0.0, 0.7, 2.5, 6.0]
    shares = [1e-12, 0.001, 0.1, 0.5, 0.8, 0.975, 0.999999]
    return {
        "normal": [[x, stats.norm.cdf(x)] for x in normal],
        "normalQuantile": [[p, stats.norm.ppf(p)] for p in shares],
        "student": [[t, v, stats.t.cdf(t, v), stats.t.logpdf(t, v)] for t in [-4.0, -0.3, 0.0, 1.7, 12.0] for v in [1.0, 3.5, 40.0]],
        "logGamma": [[x, special.gammaln(x)] for x in [0.1, 0.5, 1.0, 2.5, 17.0, 1e5]],
    }


def bootstrap():
    values = np.round(draw.exponential(1, 40), 4)
    bca = stats.bootstrap((values,), np.mean, method="BCa", n_resamples=200_000, rng=SEED)
    percentile = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=200_000, rng=SEED)
    return {
        "values": plain(values), "bca": list(bca.confidence_interval), "percentile": list(percentile.confidence_interval),
    }


def language():
    logits = draw.normal(0, 2, (9, 12))
    log_probabilities = logits - special.logsumexp(logits, 1, keepdims=True)
    tokens = draw.integers(0, 12, 9)
    sys.path.insert(0, str(CHECKOUTS / "open-unlearning/src"))
    stub("evals")
    stub("evals.metrics")
    stub("evals.metrics.mia")
    stub("evals.metrics.mia.all_attacks", Attack=object)
    stub("evals.metrics.utils", tokenwise_logprobs=None, tokenwise_vocab_logprobs=None)
    min_k = load("evals.metrics.mia.min_k", "open-unlearning/src/evals/metrics/mia/min_k.py")
    sys.modules["evals.metrics.mia.min_k"] = min_k
    plus = load("plus", "open-unlearning/src/evals/metrics/mia/min_k_plus_plus.py")
    chosen = log_probabilities[np.arange(9), tokens]
    results = []
    for share in [0.2, 0.5]:
        one, two = min_k.MinKProbAttack(), plus.MinKPlusPlusAttack()
        one.k = two.k = share
        results.append({
            "share": share,
            "minK": float(one.compute_score(torch.tensor(chosen).double())),
            "minKPlusPlus": float(two.compute_score(
                {"vocab_log_probs": torch.tensor(log_probabilities), "token_log_probs": torch.tensor(chosen)})),
        })
    return {"logits": plain(logits), "vocabulary": 12, "tokens": tokens.tolist(), "results": results}


def cka():
    a = np.round(draw.normal(0, 1, (12, 5)), 3)
    b = np.round(a @ draw.normal(0, 1, (5, 7)) + draw.normal(0, 1, (12, 7)), 3)

    def gram(x):
        x = x - x.mean(0)
        return x @ x.T

    k, l = gram(a), gram(b)
    return {
        "a": plain(a), "widthA": 5, "b": plain(b), "widthB": 7,
        "cka": float((k * l).sum() / np.sqrt((k * k).sum() * (l * l).sum())),
    }


document = {
    "command": "python3 -O test/golden/generate-metrics.py CHECKOUTS",
    "seed": SEED,
    "versions": {
        "python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__, "torch": torch.__version__,
    },
    "svc": svc(), "supportVectors": support_vectors(), "logistic": logistic(), "roc": roc(),
    "forgettingQuality": forgetting_quality(), "klom": klom(), "kolmogorovSmirnov": kolmogorov_smirnov(),
    "equivalence": equivalence(), "proportions": proportions(), "distributions": distributions(),
    "bootstrap": bootstrap(), "language": language(), "cka": cka(),
}


def shortened(value):
    if isinstance(value, dict):
        return {name: shortened(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [shortened(entry) for entry in value]
    return float(f"{value:.12g}") if isinstance(value, float) else value


Path(__file__).with_name("metrics.json").write_text(json.dumps(shortened(document)) + "\n")
