"""Tables -> predictions: one learner on clinical columns and the embeddings of networks.

A fusion's learner is fitted on training patients that no network was fitted on, and whom no epoch
was chosen by: a network is surer of the patients that it learned from, so a forest that learned
from their embeddings would trust the network more than it deserves. For the same reason those
patients are not scored: their embeddings are in-sample.
"""
