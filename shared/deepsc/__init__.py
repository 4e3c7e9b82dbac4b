"""DeepSC and DeepSC-VQA, as both ends know them: models around analog channel codes.

Own implementations after Xie, Qin, Li, Juang 2021 ("Deep Learning Enabled Semantic Communication
Systems"), Xie, Qin, Li 2021 ("Task-Oriented Multi-User Semantic Communications for VQA Task") and Xie,
Qin, Tao, Letaief 2022 ("Task-Oriented Multi-User Semantic Communications").
"""
