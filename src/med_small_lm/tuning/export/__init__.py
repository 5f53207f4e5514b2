"""Data and models for others.

Data (imports no torch): ``chats`` turns conversations into each form's rows, ``configs`` writes what the trainers want
beside them, ``card`` says what the data are and under which terms, ``write`` puts it all into a folder. A model:
``model`` writes it, ``evidence`` and ``hub_card`` say whence it comes and how good it is, ``gguf`` has it converted,
``push`` puts it on the hub.
"""
