"""my-estimator: say here what it is. `python -m bench check 'my-estimator[epochs=2]'` says whether it keeps the interface."""

import numpy as np

from bench.registry import register_estimator


@register_estimator(
    "my-estimator",  # its name in specs and tables
    family="deep",  # the kind of method, as tables show it
    requires=(
        "torch",
    ),  # imported before the clock starts; without it the estimator is listed as unavailable
    install="pip install torch",
    most_probable=True,  # predict is the class of highest probability
)
# Parameters with a default can be set in specs: my-estimator[epochs=40]. The harness gives the others.
def my_estimator(*, epochs: int = 60, filters: int = 32, random_state: int, n_jobs: int):
    """Means over time of convolutions, in PyTorch: this line is shown by `list`."""
    return MyEstimator(epochs, filters, random_state, n_jobs)


class MyEstimator:
    """A network of PyTorch with `fit` and `predict`: change `_network`, and what else there is to change."""

    def __init__(self, epochs, filters, random_state, n_jobs):
        self.epochs = epochs
        self.filters = filters
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X, y):
        """Train on `X`, float32 (n_windows, n_channels, n_timepoints), and `y`, str (n_windows,)."""
        import torch  # here, so that `list` stays quick

        torch.set_num_threads(max(self.n_jobs, 1))
        torch.manual_seed(
            self.random_state
        )  # weights and batches; NumPy's and Python's numbers are left alone
        self.classes_, labels = np.unique(y, return_inverse=True)  # sorted: the columns of predict_proba
        # Learnt from training windows, never from those that are predicted.
        self.mean_ = X.mean(axis=(0, 2), keepdims=True)
        self.deviation_ = X.std(axis=(0, 2), keepdims=True) + 1e-6
        windows, labels = self._tensor(X), torch.from_numpy(labels)
        self.network_ = self._network(X.shape[1], len(self.classes_))
        loss_of = torch.nn.CrossEntropyLoss()
        optimiser = torch.optim.Adam(self.network_.parameters(), lr=0.01)
        self.history_ = {"loss": []}  # a value an epoch: drawn in training.png
        for _ in range(self.epochs):
            losses = []
            for batch in torch.randperm(len(windows)).split(64):
                optimiser.zero_grad()
                loss = loss_of(self.network_(windows[batch]), labels[batch])
                loss.backward()
                optimiser.step()
                losses.append(loss.item())
            self.history_["loss"].append(float(np.mean(losses)))
        return self

    def _network(self, n_channels, n_classes):
        from torch import nn

        return nn.Sequential(
            nn.Conv1d(n_channels, self.filters, 9, padding="same"),
            nn.ReLU(),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
            nn.Linear(self.filters, n_classes),
        )

    def _tensor(self, X):
        import torch

        return torch.from_numpy((X - self.mean_) / self.deviation_)

    def predict_proba(self, X):
        """Return the probability of each class, as in `classes_`: ndarray of shape (n_windows, n_classes)."""
        import torch

        self.network_.eval()
        with torch.no_grad():
            parts = [self.network_(part).softmax(dim=1) for part in self._tensor(X).split(1024)]
        return torch.cat(parts).numpy()

    def predict(self, X):
        """Return the most probable class of each window: ndarray of shape (n_windows,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
