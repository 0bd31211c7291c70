"""Resamplers: what balances the classes of training windows, a kind a file; found like estimators and data sets."""
